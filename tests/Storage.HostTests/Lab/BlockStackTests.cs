using System.Globalization;
using Xunit;

namespace Storage.HostTests;

/// <summary>What block pools are going to be made of works in the lab VM, by the tools themselves.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class BlockStackTests : IAsyncLifetime
{
    private LabVm vm = null!;

    public async ValueTask InitializeAsync() => vm = await LabHost.RunningVmAsync();

    [Fact]
    public void A_thin_volume_and_its_snapshot_are_made_of_a_volume_group()
    {
        var volumes = vm.Run("""
            exec 2>&1
            trap 'vgremove --force group; pvremove "${disks[@]}"' EXIT
            disks=(/dev/disk/by-id/virtio-lab0 /dev/disk/by-id/virtio-lab1)
            pvcreate --yes "${disks[@]}" >&2
            vgcreate group "${disks[@]}" >&2
            lvcreate --type thin-pool --name pool -L 100M group >&2
            lvcreate --name thin -V 500M --thinpool pool group >&2
            lvcreate --name again --snapshot group/thin >&2
            mkfs.ext4 -q /dev/group/thin
            echo SEEN
            lvs --noheadings --separator ' ' --units b --nosuffix --options lv_name,pool_lv,origin,size group
            echo SEEN
            """).Split("SEEN\n")[1].Split('\n').Select(line => line.Trim());
        Assert.Contains("thin pool  524288000", volumes);
        Assert.Contains("again pool thin 524288000", volumes);
    }

    [Fact]
    public void A_partition_is_made_and_its_device_appears_and_goes()
    {
        var printed = vm.Run("""
            disk=$(readlink -f /dev/disk/by-id/virtio-lab2)
            trap 'wipefs --all --quiet $disk >&2' EXIT
            parted --script $disk mklabel gpt
            parted --script $disk mkpart primary 1048576B 104857599B
            udevadm settle
            blockdev --getsize64 ${disk}1
            parted --script $disk rm 1
            udevadm settle
            [ ! -e ${disk}1 ]
            """);
        Assert.Equal((104857600 - 1048576).ToString(CultureInfo.InvariantCulture), printed.Trim());
    }

    [Fact]
    public void A_volume_of_zfs_is_a_device_with_snapshots_and_clones()
    {
        var printed = vm.Run("""
            modprobe zfs
            trap 'udevadm settle; zpool destroy tank' EXIT
            zpool create tank /dev/disk/by-id/virtio-lab3
            zfs create -V 64M tank/thick
            zfs create -s -V 100M tank/sparse
            udevadm settle
            mkfs.ext4 -q /dev/zvol/tank/thick
            zfs snapshot tank/thick@then
            zfs clone tank/thick@then tank/again
            udevadm settle
            blkid -p -o value -s TYPE /dev/zvol/tank/again
            zfs list -Hp -t volume -r -o name,volsize tank
            zpool export tank
            zpool import tank
            """);
        Assert.Equal("ext4\ntank/again\t67108864\ntank/sparse\t104857600\ntank/thick\t67108864\n", printed);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
