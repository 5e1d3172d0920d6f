using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Storage.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Deadlines : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTime>(
                name: "deadline",
                table: "operations",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "expiry_requested",
                table: "operations",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "kind",
                table: "operations",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<string>(
                name: "kind",
                table: "claims",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateIndex(
                name: "ix_operations_deadline",
                table: "operations",
                column: "deadline",
                filter: "ended_at IS NULL AND deadline IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_operations_kind_sequence",
                table: "operations",
                columns: new[] { "kind", "sequence" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_operations_deadline",
                table: "operations");

            migrationBuilder.DropIndex(
                name: "ix_operations_kind_sequence",
                table: "operations");

            migrationBuilder.DropColumn(
                name: "deadline",
                table: "operations");

            migrationBuilder.DropColumn(
                name: "expiry_requested",
                table: "operations");

            migrationBuilder.DropColumn(
                name: "kind",
                table: "operations");

            migrationBuilder.DropColumn(
                name: "kind",
                table: "claims");
        }
    }
}
