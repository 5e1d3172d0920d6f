using System.Runtime.InteropServices;

namespace Storage.Hosting;

/// <summary>Keeps what services and their tools have in memory, secrets among it, out of core dumps.</summary>
internal static partial class CoreDumps
{
    private const int CoreSize = 4;

    /// <summary>
    /// Shorter than any core file can be, so that none is written; and where a program takes the dumps (a <c>|</c> in
    /// <c>kernel.core_pattern</c>) it is what the kernel knows as none at all, while with 0 the program is given them all the same. core(5).
    /// </summary>
    private const nuint None = 1;

    /// <summary>
    /// Of this process and of all that it starts from now on: the limit is inherited, over exec too. Where it is 0 for good already and this
    /// process may not raise it, 0 stays: no file is written, and a program that takes dumps is told that none are wanted.
    /// </summary>
    public static void Forbid()
    {
        if (OperatingSystem.IsLinux())
            _ = SetLimit(CoreSize, new Limit(None, None));
    }

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    /// <summary>struct rlimit of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit(nuint current, nuint most)
    {
        private readonly nuint current = current;
        private readonly nuint most = most;
    }
}
