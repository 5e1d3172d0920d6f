using System.Net;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Clients that read at the same time are answered by one query of PostgreSQL: nobody gets, or suffers from, what is another's.</summary>
public sealed class VolumesReadTogetherTests(TestBackends backends)
{
    [Fact]
    public async Task Each_reader_has_an_answer_of_its_own_whatever_the_others_ask_for()
    {
        await using var fleet = await Fleet.StartAsync(backends, FleetLayout.Of("host-a", "host-b"));
        var ids = new Dictionary<string, string>();
        foreach (var host in new[] { "host-a", "host-b" })
        {
            await fleet.Client.PostAsync($"/v1/pools?host={host}", new { type = "dir", name = "twin", target = new { path = fleet.PoolPath(host) } });
            await fleet.Client.PostAsync($"/v1/pools/twin/build?host={host}");
            await fleet.Client.PostAsync($"/v1/pools/twin/start?host={host}");
            await fleet.Client.PostAsync(
                $"/v1/pools/twin/volumes?host={host}", Enumerable.Range(0, 8).Select(i => new { name = $"é{i}", capacity = 4096 + i, allocation = 0 }).ToArray());
            ids[host] = (await fleet.Client.ReadAsync($"/v1/pools/twin?host={host}")).GetProperty("id").GetString()!;
        }
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => ReadAsync(i % 8, i % 2 == 0 ? "host-a" : "host-b", (i / 2) % 6)));

        async Task ReadAsync(int number, string host, int way)
        {
            // PostgreSQL has no text with a zero: who asks for one is refused before it is asked.
            var path = way switch
            {
                0 => $"/v1/pools/twin/volumes/é{number}?host={host}",
                1 => $"/v1/pools/{ids[host]}/volumes/é{number}",
                2 => $"/v1/pools/twin/volumes/é{number}",
                3 => $"/v1/pools/{ids[host]}/volumes/none?host={host}",
                4 => $"/v1/pools/twin/volumes/é{number}?host=host-z",
                _ => $"/v1/pools/twin/volumes/é{number}?host=%00",
            };
            var answer = await fleet.Client.GetAsync(path);
            if (way is 0 or 1)
            {
                Assert.Equal(HttpStatusCode.OK, answer.Status);
                Assert.Equal((ids[host], $"é{number}", 4096 + number), (
                    answer.Body.GetProperty("pool").GetString(), answer.Body.GetProperty("name").GetString(), answer.Body.GetProperty("capacity").GetInt32()));
            }
            else
                Assert.Equal(way switch { 2 => "host-ambiguous", 3 => "volume-not-found", 4 => "pool-not-found", _ => "invalid-argument" }, answer.Body.GetProperty("code").GetString());
        }
    }
}
