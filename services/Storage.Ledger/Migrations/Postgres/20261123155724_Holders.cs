using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Storage.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Holders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "held_before",
                table: "operations",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "worker",
                table: "operations",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<Guid>(
                name: "worker_instance",
                table: "operations",
                type: "uuid",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "held_before",
                table: "operations");

            migrationBuilder.DropColumn(
                name: "worker",
                table: "operations");

            migrationBuilder.DropColumn(
                name: "worker_instance",
                table: "operations");
        }
    }
}
