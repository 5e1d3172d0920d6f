namespace Storage.HostTests;

/// <summary>
/// Samba on the loopback address of the lab VM: a share for guests and one for a user with a password, each a file system of its own. Started by
/// the first who asks, and emptied for each.
/// </summary>
internal static class LabSmbServer
{
    public const string User = "jane";
    public const string Guests = "guests";
    public const string Users = "users";

    private static readonly string Start = $$"""
        if [ ! -e /run/lab-smb ]; then
          modprobe cifs
          useradd --no-create-home {{User}}
          for share in {{Guests}} {{Users}}; do
            mkdir -p /srv/$share
            truncate -s {{Size}} /srv/$share.device
            mkfs.ext4 -q /srv/$share.device
            mount -o loop /srv/$share.device /srv/$share
            rmdir /srv/$share/lost+found
          done
          chmod 777 /srv/{{Guests}}
          chown {{User}} /srv/{{Users}}
          cat >/etc/samba/smb.conf <<END
        [global]
          map to guest = Bad User
          guest account = nobody
          disable netbios = yes
          load printers = no
          smb ports = 445
          interfaces = lo
          bind interfaces only = yes
        [{{Guests}}]
          path = /srv/{{Guests}}
          guest ok = yes
          # Its own "nobody" is no owner to Samba, and could not write again to what it made.
          force user = root
          read only = no
        [{{Users}}]
          path = /srv/{{Users}}
          valid users = {{User}}
          read only = no
        END
          printf '%s\n%s\n' {{HostUnderTest.Quoted(AgentHost.Password)}} {{HostUnderTest.Quoted(AgentHost.Password)}} | smbpasswd -s -a {{User}} >/dev/null
          smbd --daemon
          for i in $(seq 100); do ! ss -Hltn 'sport = :445' | grep -q . || break; sleep 0.1; done
          touch /run/lab-smb
        fi

        """;

    /// <summary>Of each share, in bytes.</summary>
    public const long Size = 64L << 20;

    /// <summary>Starts it if need be, and empties a share.</summary>
    public static void Serve(HostUnderTest host, string share) => host.Shell($"{Start}\nfind /srv/{share} -mindepth 1 -delete");
}
