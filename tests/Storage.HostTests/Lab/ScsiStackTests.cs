using Xunit;

namespace Storage.HostTests;

/// <summary>What SCSI pools are going to be made of works in the lab VM, by the tools themselves.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class ScsiStackTests : IAsyncLifetime
{
    private const string Target = "iqn.2026-11.lab:target";

    /// <summary>A target of the kernel with two portals and one disk, by its own file system: what is written there is taken with every newline.</summary>
    private const string MakeTarget = $$"""
        modprobe -a configfs target_core_mod target_core_file iscsi_target_mod iscsi_tcp dm_multipath dm_service_time
        mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
        core=/sys/kernel/config/target/core/fileio_0/disk
        group=/sys/kernel/config/target/iscsi/{{Target}}/tpgt_1
        undo() {
          set +e
          iscsiadm --mode node --logout; iscsiadm --mode node -o delete
          multipath -F; multipathd shutdown; while pidof multipathd; do sleep 0.1; done
          kill $(pidof iscsid); while pidof iscsid; do sleep 0.1; done
          echo 0 >$group/enable
          rm -f $group/acls/*/lun_0/link; rmdir $group/acls/*/lun_0 $group/acls/*
          rm -f $group/lun/lun_0/link; rmdir $group/lun/lun_0 $group/np/* $group ${group%/*}
          rmdir $core ${core%/*}
          rm -f /var/lib/lab-disk
        } >/dev/null 2>&1
        trap undo EXIT
        truncate -s 80M /var/lib/lab-disk
        mkdir -p $core
        printf %s fd_dev_name=/var/lib/lab-disk,fd_dev_size=83886080 >$core/control
        printf %s lab-serial >$core/wwn/vpd_unit_serial
        printf %s 1 >$core/enable
        mkdir -p $group/np/127.0.0.1:3260 $group/np/127.0.0.1:3261 $group/lun/lun_0
        ln -s $core $group/lun/lun_0/link
        printf %s 1 >$group/attrib/generate_node_acls
        printf %s 1 >$group/attrib/cache_dynamic_acls
        printf %s 0 >$group/attrib/demo_mode_write_protect
        printf %s 0 >$group/attrib/authentication
        printf %s 1 >$group/enable
        iscsid
        node="iscsiadm --mode node --targetname {{Target}} --portal 127.0.0.1:3260,1"

        """;

    private LabVm vm = null!;

    public async ValueTask InitializeAsync() => vm = await LabHost.RunningVmAsync();

    [Fact]
    public void A_host_adapter_has_units_that_a_rescan_finds_again()
    {
        var printed = vm.Run("""
            modprobe scsi_debug dev_size_mb=64 num_tgts=1 max_luns=2
            trap 'rmmod scsi_debug' EXIT
            udevadm settle
            host=$(basename $(dirname $(grep -l scsi_debug /sys/class/scsi_host/host*/proc_name)))
            number=${host#host}
            echo 1 >/sys/bus/scsi/devices/$number:0:0:1/delete
            [ ! -e /sys/bus/scsi/devices/$number:0:0:1 ]
            echo '- - -' >/sys/class/scsi_host/$host/scan
            udevadm settle
            lsscsi --brief $number | wc -l
            /lib/udev/scsi_id --whitelisted --device /dev/$(ls /sys/bus/scsi/devices/$number:0:0:1/block)
            sg_inq /dev/$(ls /sys/bus/scsi/devices/$number:0:0:0/block) | grep -o scsi_debug
            """).Split('\n');
        Assert.Equal("2", printed[0]);
        Assert.StartsWith("3", printed[1], StringComparison.Ordinal);
        Assert.Equal("scsi_debug", printed[2]);
    }

    [Fact]
    public void A_target_lets_in_who_has_its_password_and_nobody_else()
    {
        var printed = vm.Run(MakeTarget + $$"""
            printf %s 1 >$group/attrib/authentication
            printf %s 0 >$group/attrib/generate_node_acls
            acl=$group/acls/$(sed -n 's/^InitiatorName=//p' /etc/iscsi/initiatorname.iscsi)
            mkdir -p $acl/lun_0
            ln -s $group/lun/lun_0 $acl/lun_0/link
            printf %s jane >$acl/auth/userid
            printf %s secretsecret12 >$acl/auth/password
            iscsiadm --mode discovery --type sendtargets --portal 127.0.0.1:3260 >/dev/null
            $node --login >/dev/null 2>&1 || echo without $?
            $node --op update --name node.session.auth.authmethod --value CHAP
            $node --op update --name node.session.auth.username --value jane
            $node --op update --name node.session.auth.password --value wrongwrong12
            $node --login >/dev/null 2>&1 || echo wrong $?
            $node --op update --name node.session.auth.password --value secretsecret12
            $node --login >/dev/null
            udevadm settle
            blockdev --getsize64 /dev/disk/by-path/ip-127.0.0.1:3260-iscsi-{{Target}}-lun-0
            """);
        Assert.Equal("without 24\nwrong 24\n83886080\n", printed);
    }

    [Fact]
    public void Two_paths_to_a_unit_are_one_map_and_one_of_them_may_go()
    {
        var printed = vm.Run(MakeTarget + $$"""
            printf 'defaults {\n find_multipaths no\n}\nblacklist {\n devnode "^(vd|nvme)"\n}\n' >/etc/multipath.conf
            iscsiadm --mode discovery --type sendtargets --portal 127.0.0.1:3260 >/dev/null
            iscsiadm --mode node --targetname {{Target}} --login >/dev/null
            udevadm settle
            multipathd
            for i in $(seq 100); do [ "$(multipath -ll | grep -c 'active ready running')" != 2 ] || break; sleep 0.2; done
            multipath -ll | grep -c 'active ready running'
            map=$(dmsetup ls --target multipath | cut -f1)
            $node --logout >/dev/null
            dd if=/dev/mapper/$map of=/dev/null bs=1M count=1 iflag=direct status=none
            blockdev --getsize64 /dev/mapper/$map
            """);
        Assert.Equal("2\n83886080\n", printed);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
