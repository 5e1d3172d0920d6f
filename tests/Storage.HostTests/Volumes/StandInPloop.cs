namespace Storage.HostTests;

/// <summary>
/// A <c>ploop</c> on the PATH that is none: the real one needs a kernel of OpenVZ. As ploop(8), it makes and resizes an image with its header
/// and a description beside it; nothing can be mounted from them.
/// </summary>
internal sealed class StandInPloop : IDisposable
{
    private readonly ScriptFolder folder = new();
    private readonly string? path = Environment.GetEnvironmentVariable("PATH");

    public StandInPloop()
    {
        var tool = folder.Script($$"""
            printf '%s\n' "$*" >> {{folder.Path}}/calls
            # The header's fields that matter: the signature, and at 36 the size in sectors as 64 bits, the lowest first.
            write() {
              n=$((${1%M} * 2048)) i=0
              printf WithouFreSpacExt; head -c 20 /dev/zero
              while [ $i -lt 8 ]; do printf "\\$(printf %o $((n % 256)))"; n=$((n / 256)) i=$((i + 1)); done
            }
            case $1 in
              init)
                write "$3" > "$6" && truncate -s 1M "$6"
                echo '<Parallels_disk_image/>' > "${6%/*}/DiskDescriptor.xml"
                [ ! -e {{folder.Path}}/fail ] || { echo 'Error in ploop_create_image: no room' >&2; exit 3; } ;;
              resize) write "$3" | dd of="${4%/*}/root.hds" conv=notrunc status=none ;;
              *) exit 2 ;;
            esac
            """);
        File.Move(tool, Path.Combine(folder.Path, "ploop"));
        Environment.SetEnvironmentVariable("PATH", $"{folder.Path}:{path}");
    }

    public string[] Calls => File.ReadAllLines(Path.Combine(folder.Path, "calls"));

    /// <summary>From now on it fails when it has done half of its work.</summary>
    public void Fail() => File.WriteAllText(Path.Combine(folder.Path, "fail"), "");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", path);
        folder.Dispose();
    }
}
