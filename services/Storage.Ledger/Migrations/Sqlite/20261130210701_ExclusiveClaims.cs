using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Storage.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class ExclusiveClaims : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_claims_resource_exclusive_sequence",
                table: "claims");

            migrationBuilder.CreateIndex(
                name: "ix_claims_resource_sequence",
                table: "claims",
                columns: new[] { "resource", "sequence" },
                filter: "exclusive");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_claims_resource_sequence",
                table: "claims");

            migrationBuilder.CreateIndex(
                name: "ix_claims_resource_exclusive_sequence",
                table: "claims",
                columns: new[] { "resource", "exclusive", "sequence" });
        }
    }
}
