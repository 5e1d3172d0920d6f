using System.Globalization;
using System.Text.RegularExpressions;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Reads the progress that qemu-img prints with <c>-p</c>: <c>    (12.50/100%)</c> again and again, with carriage returns.</summary>
/// <param name="progress">Where it goes.</param>
/// <param name="bytes">How much is to be done; null where that is not known.</param>
public sealed partial class QemuImgProgress(IProgress<OperationProgress> progress, long? bytes)
{
    private const int Longest = 16;
    private string rest = "";

    /// <summary>Takes what was printed next; for <see cref="HostCommand.OnOutput"/>.</summary>
    public void Read(string printed)
    {
        var text = rest + printed;
        if (Percents().Matches(text) is { Count: > 0 } found)
        {
            var percent = Math.Min(100, double.Parse(found[^1].Groups[1].ValueSpan, CultureInfo.InvariantCulture));
            progress.Report(new OperationProgress(percent, (long?)(percent / 100 * bytes), bytes));
            text = text[(found[^1].Index + found[^1].Length)..];
        }
        rest = text.Length > Longest ? text[^Longest..] : text;
    }

    [GeneratedRegex(@"\((\d{1,3}\.\d+)/100%\)")]
    private static partial Regex Percents();
}
