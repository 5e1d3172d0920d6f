using Storage.StandIns;

return args switch
{
    ["dog", .. var arguments] => Dog.Run(arguments),
    ["fc-hosts", var folder, .. var hosts] => FcHosts.Run(folder, hosts),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("Storage.StandIns dog ARGUMENTS | fc-hosts FOLDER NUMBER:WWNN:WWPN:MAX_VPORTS...");
    return 64;
}
