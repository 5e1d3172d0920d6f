using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Storage.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class PoolNames : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_pools_name_host",
                table: "pools",
                columns: new[] { "name", "host" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_pools_name_host",
                table: "pools");
        }
    }
}
