namespace Storage.Contracts;

/// <summary>
/// The mount options that a pool may ask for, by file system. Options that let in devices, set-uid programs or execution, that name
/// files of the host, that carry passwords or that put the mount into the background are not among them. Sources: mount(8),
/// ext4(5), xfs(5), btrfs(5), nfs(5), mount.cifs(8), mount.glusterfs(8).
/// </summary>
public static class MountOptionRules
{
    private static readonly HashSet<string> Everywhere = Words("""
        ro rw sync async dirsync atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime lazytime nolazytime
        nodev nosuid noexec silent loud iversion noiversion
        """);

    private static readonly Dictionary<string, HashSet<string>> ByFormat = new(StringComparer.Ordinal)
    {
        ["ext2"] = Words("acl noacl user_xattr nouser_xattr errors grpid nogrpid resuid resgid sb bsdgroups sysvgroups quota noquota usrquota grpquota"),
        ["ext3"] = Words("acl noacl user_xattr nouser_xattr errors data commit barrier nobarrier resuid resgid quota noquota usrquota grpquota"),
        ["ext4"] = Words("""
            acl noacl user_xattr nouser_xattr errors data commit barrier nobarrier discard nodiscard delalloc nodelalloc stripe journal_checksum
            journal_async_commit auto_da_alloc noauto_da_alloc inode_readahead_blks max_batch_time min_batch_time resuid resgid dioread_nolock
            dioread_lock quota noquota usrquota grpquota prjquota init_itable noinit_itable
            """),
        ["xfs"] = Words("""
            discard nodiscard allocsize attr2 noattr2 inode32 inode64 largeio nolargeio logbufs logbsize noalign norecovery nouuid noquota uquota
            usrquota gquota grpquota pquota prjquota sunit swidth swalloc wsync filestreams ikeep noikeep
            """),
        ["vfat"] = Words("uid gid umask dmask fmask iocharset codepage shortname utf8 quiet tz discard flush check"),
        ["udf"] = Words("uid gid umask mode dmode iocharset utf8 unhide undelete session lastblock anchor bs"),
        ["iso9660"] = Words("uid gid mode dmode map norock nojoliet iocharset utf8 check session sbsector block"),
        ["hfs+"] = Words("uid gid umask session part nls force creator type"),
        ["ocfs2"] = Words("acl noacl user_xattr nouser_xattr errors data commit barrier intr nointr localalloc resv_level coherency"),
        ["gfs2"] = Words("acl noacl locktable lockproto localflocks quota data errors discard nodiscard commit barrier nobarrier"),
        ["nfs"] = Words("""
            hard soft softerr timeo retrans rsize wsize lock nolock proto udp tcp rdma port mountport mountproto mounthost mountvers namlen ac noac
            acregmin acregmax acdirmin acdirmax actimeo nconnect max_connect sec nfsvers vers minorversion retry lookupcache local_lock clientaddr
            fsc nofsc cto nocto acl noacl rdirplus nordirplus resvport noresvport sharecache nosharecache trunkdiscovery notrunkdiscovery
            xprtsec intr nointr
            """),
        ["glusterfs"] = Words("""
            log-level backup-volfile-servers backupvolfile-server volfile-max-fetch-attempts fetch-attempts direct-io-mode transport
            attribute-timeout entry-timeout negative-timeout acl selinux background-qlen congestion-threshold gid-timeout use-readdirp
            no-root-squash root-squash fopen-keep-cache worm read-only event-history reader-thread-count
            """),
        ["cifs"] = Words("""
            uid gid forceuid noforceuid forcegid noforcegid file_mode dir_mode port vers sec seal sign nosign iocharset cache actimeo acregmax
            acdirmax rsize wsize bsize echo_interval max_credits hard soft perm noperm serverino noserverino mapchars nomapchars mapposix
            nomapposix mfsymlinks nobrl brl handlecache nohandlecache strictcache nostrictcache unix nounix posix noposix posixpaths noposixpaths
            domain dom workgroup guest resilienthandles noresilienthandles persistenthandles nopersistenthandles multichannel max_channels
            nouser_xattr user_xattr cifsacl idsfromsid modefromsid cruid snapshot rdma esize fsc nodfs nosharesock witness
            """),
        ["btrfs"] = Words("""
            compress compress-force ssd nossd ssd_spread nossd_spread discard nodiscard autodefrag noautodefrag commit degraded subvol subvolid
            space_cache nospace_cache datacow nodatacow datasum nodatasum barrier nobarrier acl noacl flushoncommit noflushoncommit
            fatal_errors metadata_ratio thread_pool max_inline skip_balance treelog notreelog user_subvol_rm_allowed
            """),
    };

    private static readonly HashSet<string> Any = [.. ByFormat.Values.SelectMany(words => words)];

    /// <summary>Refuses an option that is not known to be harmless for the format; any known one where the format is left to the host.</summary>
    /// <param name="format">The source format of the pool.</param>
    /// <param name="option">The option, with its value if any: <c>name</c> or <c>name=value</c>.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void Check(string? format, string option, string field)
    {
        PlainText.CheckGiven(option, field);
        if (option.Contains(',', StringComparison.Ordinal))
            throw PlainText.Invalid("A mount option may not have a comma: one option is one entry of the list.", field);
        var name = option.Split('=', 2)[0];
        var known = format is not null && ByFormat.TryGetValue(format, out var words) ? words : Any;
        if (!Everywhere.Contains(name) && !known.Contains(name))
            throw PlainText.Invalid($"The mount option '{name}' is not among those that a pool of format {format ?? "auto"} may ask for.", field);
    }

    private static HashSet<string> Words(string words) =>
        [.. words.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
}
