using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Storage.Contracts;

/// <summary>
/// Reads a document that a stranger wrote: no DTD, no entities but XML's own five, nothing fetched, bounded in size and depth.
/// </summary>
public static class XmlInput
{
    public const int MaxBytes = 1 << 20;
    public const int MaxDepth = 32;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = MaxBytes,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
    };

    /// <summary>Reads a whole document by <paramref name="read"/>, which gets its root.</summary>
    /// <param name="strict">Refuses every element and attribute that <paramref name="read"/> did not look at.</param>
    /// <exception cref="StorageException">The only exception, whatever the document.</exception>
    internal static T Read<T>(string document, string root, bool strict, Func<InputElement, T> read)
    {
        if (Encoding.UTF8.GetByteCount(document) > MaxBytes)
            throw TooLarge();
        return Read(() => XmlReader.Create(new StringReader(document), Settings), root, strict, read);
    }

    /// <inheritdoc cref="Read{T}(string, string, bool, Func{InputElement, T})"/>
    internal static T Read<T>(Stream document, string root, bool strict, Func<InputElement, T> read)
    {
        var bytes = new byte[MaxBytes + 1];
        var length = document.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > MaxBytes)
            throw TooLarge();
        return Read(() => XmlReader.Create(new MemoryStream(bytes, 0, length, writable: false), Settings), root, strict, read);
    }

    private static T Read<T>(Func<XmlReader> open, string root, bool strict, Func<InputElement, T> read)
    {
        var looked = new HashSet<XObject>(ReferenceEqualityComparer.Instance);
        var element = new InputElement(Load(open), root, looked);
        if (element.LocalName != root)
            throw element.Wrong($"The document is not a <{root}>.");
        var result = read(element);
        if (strict)
            UnreadXml.Refuse(element.Source, looked);
        return result;
    }

    private static XElement Load(Func<XmlReader> open)
    {
        try
        {
            using (var reader = open())
            {
                while (reader.Read())
                {
                    if (reader.Depth > MaxDepth)
                        throw Malformed($"The document is nested over {MaxDepth} deep.");
                }
            }
            using (var reader = open())
                return XElement.Load(reader, LoadOptions.PreserveWhitespace);
        }
        catch (Exception e) when (e is XmlException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw Malformed(e.Message, e);
        }
    }

    private static StorageException TooLarge() => Malformed($"The document is over {MaxBytes} bytes.");

    private static StorageException Malformed(string message, Exception? inner = null) =>
        new(new StorageError(ErrorCodes.InvalidDocument, message), inner);
}
