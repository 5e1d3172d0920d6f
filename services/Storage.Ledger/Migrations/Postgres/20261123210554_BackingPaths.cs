using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Storage.Ledger.Migrations.Postgres
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
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.CreateIndex(
                name: "ix_volumes_backing_path",
                table: "volumes",
                column: "backing_path",
                filter: "backing_path IS NOT NULL");

            // What is known of volumes is in their documents; a relative path begins at the volume's folder.
            migrationBuilder.Sql("""
                UPDATE volumes SET backing_path = CASE
                    WHEN document::jsonb #>> '{backingStore,path}' LIKE '/%' THEN document::jsonb #>> '{backingStore,path}'
                    ELSE regexp_replace(path, '[^/]*$', '') || (document::jsonb #>> '{backingStore,path}') END
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
