using System.Globalization;
using System.Runtime.InteropServices;

namespace Storage.Worker;

/// <summary>Flags of open(2).</summary>
internal static class OpenFlags
{
    private static readonly bool Arm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NoTerminal = 0x100;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x8_0000;
    public const int PathOnly = 0x20_0000;

    // The two that are not the same on every processor.
    public static readonly int Directory = Arm ? 0x4000 : 0x1_0000;
    public static readonly int NoFollow = Arm ? 0x8000 : 0x2_0000;
}

/// <summary>The kinds of file, as the bits of st_mode have them.</summary>
internal enum FileKind
{
    Unknown = 0,
    Fifo = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    SymbolicLink = 0xA000,
    Socket = 0xC000,
}

/// <summary>struct statx: the same on every processor.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct FileStatus
{
    private const uint BirthTimeKnown = 0x800;
    private const int KindBits = 0xF000;
    private const int PermissionBits = 0x1FF;

    public uint Mask;
    public uint BlockSize;
    public ulong Attributes;
    public uint LinkCount;
    public uint Owner;
    public uint Group;
    public ushort ModeBits;
    private readonly ushort _pad;
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public FileTime Access;
    public FileTime Birth;
    public FileTime Changed;
    public FileTime Modified;
    public uint RawMajor;
    public uint RawMinor;
    public uint DeviceMajor;
    public uint DeviceMinor;

    public readonly FileKind Kind => (FileKind)(ModeBits & KindBits);

    public readonly int Permissions => ModeBits & PermissionBits;

    /// <summary>The kernel's number of the device that a device file stands for, <c>major:minor</c>.</summary>
    public readonly string RawDevice => string.Create(CultureInfo.InvariantCulture, $"{RawMajor}:{RawMinor}");

    /// <summary>Whether both are of one file, whatever its names.</summary>
    public readonly bool IsSameFile(in FileStatus other) =>
        Inode == other.Inode && DeviceMajor == other.DeviceMajor && DeviceMinor == other.DeviceMinor;

    public readonly bool HasBirth => (Mask & BirthTimeKnown) != 0;
}

/// <summary>struct statx_timestamp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileTime
{
    private static readonly long First = DateTimeOffset.MinValue.ToUnixTimeSeconds();
    private static readonly long Last = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    public long Seconds;
    public uint Nanoseconds;
    private readonly int _pad;

    /// <summary>In steps of 100 ns; null where a file system says what no calendar has.</summary>
    public readonly DateTimeOffset? Time => Seconds >= First && Seconds <= Last && Nanoseconds < 1_000_000_000
        ? DateTimeOffset.FromUnixTimeSeconds(Seconds).AddTicks(Nanoseconds / TimeSpan.NanosecondsPerTick)
        : null;
}

/// <summary>struct statvfs of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct FileSystemStatus
{
    public ulong BlockSize;
    public ulong FragmentSize;
    public ulong Blocks;
    public ulong FreeBlocks;
    public ulong AvailableBlocks;
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry(int descriptor)
{
    private const short Readable = 1;

    public int Descriptor = descriptor;
    public short Wanted = Readable;
    public short Seen;
}
