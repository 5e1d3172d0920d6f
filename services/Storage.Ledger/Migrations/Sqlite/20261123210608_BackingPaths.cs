using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Storage.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class BackingPaths : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "backing_path",
                table: "volumes",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_volumes_backing_path",
                table: "volumes",
                column: "backing_path",
                filter: "backing_path IS NOT NULL");

            // What is known of volumes is in their documents; a relative path begins at the volume's folder.
            migrationBuilder.Sql("""
                UPDATE volumes SET backing_path = CASE
                    WHEN json_extract(document, '$.backingStore.path') LIKE '/%' THEN json_extract(document, '$.backingStore.path')
                    ELSE rtrim(path, replace(path, '/', '')) || json_extract(document, '$.backingStore.path') END
                WHERE path LIKE '/%' AND document LIKE '%"backingStore"%'
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_volumes_backing_path",
                table: "volumes");

            migrationBuilder.DropColumn(
                name: "backing_path",
                table: "volumes");
        }
    }
}
