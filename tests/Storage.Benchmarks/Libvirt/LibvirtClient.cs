using System.Runtime.InteropServices;

namespace Storage.Benchmarks.Libvirt;

/// <summary>libvirt's C client, as far as the comparison needs it: -1 or null is failure (libvirt-storage.h).</summary>
internal static partial class LibvirtClient
{
    private const string Library = "libvirt.so.0";

    public static bool IsInstalled => NativeLibrary.TryLoad(Library, out _);

    public static nint Connect(string uri) => Check(Open(uri), "connect");

    [LibraryImport(Library, EntryPoint = "virConnectClose")]
    public static partial int Close(nint connection);

    public static nint DefinePool(nint connection, string xml) => Check(PoolDefine(connection, xml, 0), "define a pool");

    public static nint FindPool(nint connection, string name) => Check(PoolLookup(connection, name), "look up a pool");

    public static void BuildPool(nint pool) => Check(PoolBuild(pool, 0), "build a pool");

    public static void StartPool(nint pool) => Check(PoolCreate(pool, 0), "start a pool");

    public static void RefreshPool(nint pool) => Check(PoolRefresh(pool, 0), "refresh a pool");

    public static void StopPool(nint pool) => Check(PoolDestroy(pool), "stop a pool");

    public static void UndefinePool(nint pool)
    {
        Check(PoolUndefine(pool), "undefine a pool");
        _ = FreePool(pool);
    }

    [LibraryImport(Library, EntryPoint = "virStoragePoolFree")]
    public static partial int FreePool(nint pool);

    public static void CreateVolume(nint pool, string xml) => _ = FreeVolume(Check(VolumeCreate(pool, xml, 0), "create a volume"));

    public static void CloneVolume(nint pool, string xml, string source, bool reflink)
    {
        const uint Reflink = 2;
        var volume = Check(VolumeLookup(pool, source), "look up a volume");
        _ = FreeVolume(Check(VolumeClone(pool, xml, volume, reflink ? Reflink : 0), "clone a volume"));
        _ = FreeVolume(volume);
    }

    public static void DeleteVolume(nint pool, string name)
    {
        var volume = Check(VolumeLookup(pool, name), "look up a volume");
        Check(VolumeDelete(volume, 0), "delete a volume");
        _ = FreeVolume(volume);
    }

    public static void ReadVolume(nint pool, string name)
    {
        var volume = Check(VolumeLookup(pool, name), "look up a volume");
        var text = Check(VolumeXml(volume, 0), "read a volume");
        Free(text);
        _ = FreeVolume(volume);
    }

    public static unsafe int ListVolumes(nint pool)
    {
        nint* volumes;
        var count = PoolVolumes(pool, &volumes, 0);
        Check(count, "list volumes");
        for (var i = 0; i < count; i++)
            _ = FreeVolume(volumes[i]);
        Free((nint)volumes);
        return count;
    }

    private static void Check(int result, string what)
    {
        if (result < 0)
            throw new InvalidOperationException($"libvirt cannot {what}: {Marshal.PtrToStringUTF8(LastError())}");
    }

    private static nint Check(nint result, string what) =>
        result != 0 ? result : throw new InvalidOperationException($"libvirt cannot {what}: {Marshal.PtrToStringUTF8(LastError())}");

    [LibraryImport(Library, EntryPoint = "virGetLastErrorMessage")]
    private static partial nint LastError();

    [LibraryImport(Library, EntryPoint = "virConnectOpen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string uri);

    [LibraryImport(Library, EntryPoint = "virStoragePoolDefineXML", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint PoolDefine(nint connection, string xml, uint flags);

    [LibraryImport(Library, EntryPoint = "virStoragePoolLookupByName", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint PoolLookup(nint connection, string name);

    [LibraryImport(Library, EntryPoint = "virStoragePoolBuild")]
    private static partial int PoolBuild(nint pool, uint flags);

    [LibraryImport(Library, EntryPoint = "virStoragePoolCreate")]
    private static partial int PoolCreate(nint pool, uint flags);

    [LibraryImport(Library, EntryPoint = "virStoragePoolRefresh")]
    private static partial int PoolRefresh(nint pool, uint flags);

    [LibraryImport(Library, EntryPoint = "virStoragePoolDestroy")]
    private static partial int PoolDestroy(nint pool);

    [LibraryImport(Library, EntryPoint = "virStoragePoolUndefine")]
    private static partial int PoolUndefine(nint pool);

    [LibraryImport(Library, EntryPoint = "virStoragePoolListAllVolumes")]
    private static unsafe partial int PoolVolumes(nint pool, nint** volumes, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolCreateXML", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint VolumeCreate(nint pool, string xml, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolCreateXMLFrom", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint VolumeClone(nint pool, string xml, nint source, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolLookupByName", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint VolumeLookup(nint pool, string name);

    [LibraryImport(Library, EntryPoint = "virStorageVolGetXMLDesc")]
    private static partial nint VolumeXml(nint volume, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolDelete")]
    private static partial int VolumeDelete(nint volume, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolFree")]
    private static partial int FreeVolume(nint volume);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);
}
