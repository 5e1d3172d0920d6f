"""Asks libvirt for its answer to every case of a file and writes the file anew. Runs where libvirtd does.

A case is `=== title`, a document, perhaps a line `--- ours: ...` that is kept, and the answer: `--- accepted` with the document that
libvirt prints, or `--- refused NUMBER: MESSAGE`.
"""
import re
import sys

import libvirt

SOURCELESS = "00000000-0000-4000-8000-000000000000"
CASE = re.compile(r"(?P<head>[^\n]*\n)(?P<document>.*?)(?P<ours>--- ours: [^\n]*\n)?(?:--- (?:accepted|refused).*)?\Z", re.DOTALL)

libvirt.registerErrorHandler(lambda *_: None, None)
storage = libvirt.open("storage:///system")
# Its parser is the same, and it also takes the types for which libvirt has no backend any more, and any volume.
pretended = libvirt.open("test:///default")
WITHOUT_BACKEND = re.compile(r"\s*<pool type='(sheepdog|vstorage)'")
LEAST = {}


def clear(connection):
    for pool in connection.listAllStoragePools():
        for end in (pool.destroy, pool.undefine):
            try:
                end()
            except libvirt.libvirtError:
                pass


def ask_pool(_, document):
    connection = pretended if WITHOUT_BACKEND.match(document) else storage
    clear(connection)
    answer = connection.storagePoolDefineXML(document, 0).XMLDesc(0)
    if connection is pretended:
        answer = re.sub(r"(<(capacity|allocation|available) unit='bytes'>)\d+", r"\g<1>0", answer)
    if not re.search(r"<uuid>[^<]", document):
        answer = re.sub(r"<uuid>.*?</uuid>", f"<uuid>{SOURCELESS}</uuid>", answer)
    return answer


def ask_conflict(_, documents):
    known, wanted = documents.split("+++\n")
    connection = pretended if WITHOUT_BACKEND.match(known) else storage
    clear(connection)
    connection.storagePoolDefineXML(known, 0)
    connection.storagePoolDefineXML(wanted, 0)
    return ""


def ask_volume(title, document):
    clear(pretended)
    pool = pretended.storagePoolDefineXML(LEAST[title.split(":")[0]], 0)
    pool.create()
    return pool.createXML(document, 0).XMLDesc(0)


def answer(path, ask):
    with open(path, newline="\n") as file:
        cases = [CASE.match(case) for case in file.read().split("=== ")[1:]]
    with open(path, "w", newline="\n") as file:
        for case in cases:
            title, document = case["head"].rstrip("\n"), case["document"]
            if ask is ask_pool and title.endswith(": the least that it needs"):
                LEAST[title.split(":")[0]] = document
            try:
                said = "--- accepted\n" + ask(title, document)
            except libvirt.libvirtError as error:
                said = f"--- refused {error.get_error_code()}: {error.get_error_message()}\n"
            file.write(f"=== {title}\n{document}{case['ours'] or ''}{said}")
    return len(cases)


def capabilities(path):
    with open(path, "w", newline="\n") as file:
        file.write(storage.getStoragePoolCapabilities(0))


folder = sys.argv[1]
count = answer(f"{folder}/pools.txt", ask_pool) + answer(f"{folder}/volumes.txt", ask_volume)
count += answer(f"{folder}/conflicts.txt", ask_conflict)
capabilities(f"{folder}/capabilities.xml")
print(f"libvirt {'.'.join(str(storage.getLibVersion() // d % 1000) for d in (1000000, 1000, 1))} answered {count} cases")
