namespace Storage.HostTests;

/// <summary>The ceph.conf of a cluster that is one process of each kind.</summary>
internal static class CephSettings
{
    /// <summary>By both of its protocols, on their usual ports.</summary>
    public static string MonitorAddresses => $"[v2:{Loopback.Address}:3300,v1:{Loopback.Address}:6789]";

    public static string Of(string fsid, string folder, long capacity) => $"""
        [global]
        fsid = {fsid}
        mon_initial_members = a
        mon_host = {MonitorAddresses}
        public_addr = {Loopback.Address}
        cluster_addr = {Loopback.Address}
        ms_bind_ipv6 = false
        auth_cluster_required = cephx
        auth_service_required = cephx
        auth_client_required = cephx
        auth_allow_insecure_global_id_reclaim = false
        mon_warn_on_insecure_global_id_reclaim = false
        keyring = {folder}/keyring
        run_dir = {folder}/run
        admin_socket = {folder}/run/$name.$pid.asok
        pid_file = {folder}/run/$name.pid
        crash_dir = {folder}/run
        log_file = {folder}/$name.log
        osd_pool_default_size = 1
        osd_pool_default_min_size = 1
        osd_pool_default_pg_num = 8
        osd_pool_default_pg_autoscale_mode = off
        osd_crush_chooseleaf_type = 0
        mon_allow_pool_size_one = true
        mon_allow_pool_delete = true
        mon_data_avail_warn = 1
        mon_data_avail_crit = 1
        [mon]
        mon_data = {folder}/mon/$id
        mon_cluster_log_file = {folder}/cluster.log
        [mgr]
        mgr_data = {folder}/mgr/$id
        mgr_initial_modules =
        [osd]
        osd_data = {folder}/osd/$id
        osd_objectstore = memstore
        memstore_device_bytes = {capacity}

        """;
}
