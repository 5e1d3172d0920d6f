using System.Text;

namespace Storage.Contracts;

/// <summary>
/// The order of volume names: by their UTF-8 bytes, as the databases and workers sort them. It differs from .NET's ordinal order only
/// for characters outside the basic plane.
/// </summary>
public static class Utf8Order
{
    public static IComparer<string> Comparer { get; } = Comparer<string>.Create(Compare);

    public static int Compare(string left, string right)
    {
        var length = Math.Min(left.Length, right.Length);
        for (var i = 0; i < length; i++)
        {
            if (left[i] == right[i])
                continue;
            // Surrogates encode the highest code points but are not the highest UTF-16 units.
            var (a, b) = (char.IsSurrogate(left[i]), char.IsSurrogate(right[i]));
            return a == b ? left[i].CompareTo(right[i]) : a ? 1 : -1;
        }
        return left.Length.CompareTo(right.Length);
    }

    /// <summary>The bytes that a name takes on the host.</summary>
    public static int ByteCount(string name) => Encoding.UTF8.GetByteCount(name);
}
