using System.Text;
using System.Xml;

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

    /// <summary>The root of a document.</summary>
    /// <exception cref="StorageException">The only exception, whatever the document.</exception>
    internal static InputElement Read(string document, string root)
    {
        if (document.Length > MaxBytes || Encoding.UTF8.GetByteCount(document) > MaxBytes)
            throw TooLarge();
        return Read(new StringReader(document), root);
    }

    /// <inheritdoc cref="Read(string, string)"/>
    internal static InputElement Read(ReadOnlyMemory<byte> document, string root)
    {
        if (document.Length > MaxBytes)
            throw TooLarge();
        using var bytes = new MemoryStream(document.ToArray(), writable: false);
        return Expect(root, Load(() => XmlReader.Create(bytes, Settings)));
    }

    private static InputElement Read(TextReader document, string root) => Expect(root, Load(() => XmlReader.Create(document, Settings)));

    private static InputElement Expect(string root, InputElement element) =>
        element.LocalName == root && element.Namespace.Length == 0 ? element : throw element.Wrong($"The document is not a <{root}>.");

    private static InputElement Load(Func<XmlReader> open)
    {
        try
        {
            using var reader = open();
            return Load(reader) ?? throw Malformed("The document has no element.");
        }
        catch (Exception e) when (e is XmlException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw Malformed(e.Message, e);
        }
    }

    private static InputElement? Load(XmlReader reader)
    {
        InputElement? root = null;
        InputElement? current = null;
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    if (reader.Depth > MaxDepth)
                        throw Malformed($"The document is nested over {MaxDepth} deep.");
                    var element = new InputElement(current, reader.Prefix, reader.NamespaceURI, reader.LocalName);
                    current?.Add(element);
                    root ??= element;
                    if (!reader.IsEmptyElement)
                        current = element;
                    if (reader.HasAttributes)
                        element.Attributes = Attributes(reader);
                    break;
                case XmlNodeType.EndElement:
                    current = current!.Parent;
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    current?.Add(reader.Value);
                    break;
            }
        }
        return root;
    }

    private static InputAttribute[] Attributes(XmlReader reader)
    {
        const string namespaces = "http://www.w3.org/2000/xmlns/";
        var attributes = new InputAttribute[reader.AttributeCount];
        var count = 0;
        while (reader.MoveToNextAttribute())
        {
            if (reader.NamespaceURI != namespaces)
                attributes[count++] = new InputAttribute(reader.Prefix, reader.NamespaceURI, reader.LocalName, reader.Value);
        }
        Array.Resize(ref attributes, count);
        return attributes;
    }

    private static StorageException TooLarge() => Malformed($"The document is over {MaxBytes} bytes.");

    private static StorageException Malformed(string message, Exception? inner = null) =>
        new(new StorageError(ErrorCodes.InvalidDocument, message), inner);
}
