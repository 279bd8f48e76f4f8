"""A real Radicale with a thousand cards, pulled by the terminal: what arrives at Hutong is what changed.

carddav.py BINARY: the binary's `demo` is the server that the numbers are delivered to."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

BINARY = sys.argv[1]
CARDS = 1000
PASSWORD = "the-password-of-anna-1"
OWN = "13800138099"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def eventually(what, look, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"waited in vain for {what}")


def must(fine, what):
    if not fine:
        sys.exit(what)


class Radicale:
    """The server, with one person and one address book, whose files it keeps in a directory."""

    def __init__(self, directory):
        self.directory = directory
        self.users = os.path.join(directory, "users")
        self.port = free_port()
        self.passwords(PASSWORD)
        self.start()

    def passwords(self, password):
        with open(self.users, "w") as file:
            file.write(f"anna:{password}\n")

    def start(self):
        config = os.path.join(self.directory, "config")
        with open(config, "w") as file:
            file.write(
                f"[server]\nhosts = 127.0.0.1:{self.port}\n"
                f"[auth]\ntype = htpasswd\nhtpasswd_filename = {self.users}\nhtpasswd_encryption = plain\ndelay = 0\n"
                f"[storage]\nfilesystem_folder = {self.directory}/store\n"
                "[logging]\nlevel = critical\n"
            )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", config], stderr=subprocess.DEVNULL
        )
        eventually("Radicale", self.answers)

    def answers(self):
        must(self.process.poll() is None, "Radicale has ended")
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def call(self, method, path, body="", kind="text/vcard"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body.encode(), method=method)
        token = base64.b64encode(f"anna:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
        request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def make_book(self):
        props = (
            '<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype>'
            "<collection/><C:addressbook/></resourcetype></prop></set></mkcol>"
        )
        self.call("MKCOL", "/anna/contacts/", props, "application/xml")

    def fill(self, cards):
        """The whole book in one call."""
        whole = "".join(card(n, n) for n in range(cards))
        request = "/anna/contacts/"
        self.call("PUT", request, whole)

    def put(self, name, number):
        self.call("PUT", f"/anna/contacts/{name}.vcf", card(name, number))

    def delete(self, name):
        self.call("DELETE", f"/anna/contacts/{name}.vcf")

    def forget_tokens(self):
        """As when its caches were thrown away: every token that it gave is dead."""
        self.stop()
        for where, directories, _ in os.walk(f"{self.directory}/store"):
            for name in directories:
                if name == "sync-token":
                    for file in os.listdir(os.path.join(where, name)):
                        os.remove(os.path.join(where, name, file))
        self.start()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def card(name, number):
    return (
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:Person {name}\r\nN:{name};Person;;;\r\n"
        f"TEL;TYPE=CELL:+86 137 {number // 10000:04d} {number % 10000:04d}\r\nEND:VCARD\r\n"
    )


class HalfWay:
    """A server in front of Radicale that stops: after so many bytes of answers it cuts every connection."""

    def __init__(self, port, budget):
        self.port, self.left = port, budget
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.carry, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, True), daemon=True).start()

    def carry(self, source, target, counted):
        try:
            while chunk := source.recv(2048):
                if counted:
                    chunk = chunk[: max(self.left, 0)]
                    self.left -= len(chunk)
                    if not chunk:
                        break
                target.sendall(chunk)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Terminal:
    def __init__(self, directory, info):
        self.directory, self.info = directory, info
        self.state = os.path.join(directory, "terminal.json")

    def command(self, *words):
        return [BINARY, "terminal", "--server", self.info["api"], "--state", self.state, "--json", *words]

    def login(self):
        texts = f"{self.info['sms_control']}/phones/+86{OWN}/texts"
        process = subprocess.Popen(
            self.command("login", OWN),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )

        def code():
            with urllib.request.urlopen(texts) as answer:
                shown = json.load(answer)
            return shown and re.search(r"\d{6}", shown[-1]["text"])

        process.communicate(eventually("the code", code).group(0) + "\n")
        must(process.returncode == 0, "the terminal cannot sign in")

    def scan(self, port, password=PASSWORD, path="/", fails=False, more=()):
        url = f"http://anna@127.0.0.1:{port}{path}"
        environment = dict(os.environ, HUTONG_CARDDAV_PASSWORD=password)
        process = subprocess.Popen(
            self.command("scan", "--carddav", url, *more),
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        with open(f"/proc/{process.pid}/cmdline") as file:
            must(PASSWORD not in file.read(), "the password stands on the command line")
        said, told = process.communicate()
        must(PASSWORD not in said + told, "the password is said")
        with open(self.state) as file:
            kept = file.read()
            must(PASSWORD not in kept and "Person" not in kept, "the password or a name is remembered")
        must((process.returncode != 0) == fails, f"scan ended with {process.returncode}: {told}")
        return (json.loads(said) if said else {}), told

    def size(self):
        return json.loads(subprocess.run(self.command("status"), stdout=subprocess.PIPE, check=True).stdout)["book"]["size"]


def brought(told):
    """What a pull says it has brought."""
    words = re.search(
        r"(\d+) cards; (\d+) new or changed, (\d+) gone \((listed whole|changes alone), (\d+) fetched\)", told
    )
    must(words, f"no word of what was pulled: {told}")
    cards, changed, gone, listed, fetched = words.groups()
    return int(cards), int(changed), int(gone), listed == "listed whole", int(fetched)


def walk(radicale, terminal):
    said, told = terminal.scan(radicale.port)
    must(brought(told) == (CARDS, CARDS, 0, True, CARDS), f"first pull: {told}")
    must((said["added"], terminal.size()) == (CARDS, CARDS), f"first delivery: {said}")

    said, told = terminal.scan(radicale.port)
    must(brought(told) == (CARDS, 0, 0, False, 0) and said["changed"] is False, f"nothing had changed: {told} {said}")

    radicale.put("new", 5_000_000)
    radicale.put("other", 5_000_001)
    names = sorted(name for name in os.listdir(book_of(radicale)) if name.endswith(".vcf") and "-" not in name[:3])
    plain = [name[:-4] for name in names if name not in ("new.vcf", "other.vcf")]
    radicale.put(plain[0], 5_000_002)
    radicale.delete(plain[1])
    said, told = terminal.scan(radicale.port, path="/anna/contacts/")
    # Another address of the same books is another place: all of it is read, and what is delivered is the change alone.
    must(brought(told)[:2] == (CARDS + 1, CARDS + 1), f"from the book's own address: {told}")
    must((said["added"], said["removed"]) == (3, 2), f"delivery of what changed: {said}")

    radicale.put("third", 5_000_003)
    radicale.delete(plain[2])
    radicale.put(plain[3], 5_000_004)
    said, told = terminal.scan(radicale.port, path="/anna/contacts/")
    must(brought(told) == (CARDS + 1, 2, 1, False, 2), f"a delta: {told}")
    must((said["added"], said["removed"]) == (2, 2), f"delivery of a delta: {said}")

    radicale.forget_tokens()
    radicale.put("fourth", 5_000_005)
    said, told = terminal.scan(radicale.port, path="/anna/contacts/")
    must(brought(told) == (CARDS + 2, 1, 0, True, 1), f"a dead token: {told}")
    must((said["added"], said["removed"]) == (1, 0), f"delivery after a dead token: {said}")

    before = terminal.size()
    _, told = terminal.scan(radicale.port, "wrong", "/anna/contacts/", fails=True)
    must("name and password" in told, f"a wrong password: {told}")
    must(terminal.size() == before, "a wrong password has changed the book")
    said, told = terminal.scan(radicale.port, path="/anna/contacts/", more=["--dry-run"])
    must(len(said["files"][0]["numbers"]) == CARDS + 2, f"a dry run: {told}")


def half_way(radicale, terminal):
    """Every card changes; the server stops again and again, and each run goes on where the last one stopped."""
    proxy = HalfWay(radicale.port, 1 << 30)
    said, told = terminal.scan(proxy.address, path="/anna/contacts/")
    cards = brought(told)[0]
    before, fetched, stops = terminal.size(), 0, 0
    radicale.call("PUT", "/anna/contacts/", "".join(card(n, 6_000_000 + n) for n in range(CARDS)))
    while True:
        proxy.left = 300_000
        process = subprocess.Popen(
            terminal.command("scan", "--carddav", f"http://anna@127.0.0.1:{proxy.address}/anna/contacts/", "--confirm-shrink"),
            env=dict(os.environ, HUTONG_CARDDAV_PASSWORD=PASSWORD),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        said, told = process.communicate()
        if process.returncode == 0:
            break
        stops += 1
        must(process.returncode == 70, f"a server that stopped: {process.returncode} {told}")
        must(terminal.size() == before, "something was delivered by halves")
        must(stops < 20, "it never goes on")
    count, changed, _, _, fetched = brought(told)
    must(stops > 0 and count == CARDS and fetched < CARDS, f"it stopped {stops} times, and then: {told}")
    must(terminal.size() == CARDS, f"delivered in the end: {said}")
    return stops, CARDS - fetched


def book_of(radicale):
    return f"{radicale.directory}/store/collection-root/anna/contacts"


def main():
    with tempfile.TemporaryDirectory() as directory:
        info_file = os.path.join(directory, "info")
        demo = subprocess.Popen([BINARY, "demo", "--info", info_file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        radicale = Radicale(directory)
        try:
            radicale.make_book()
            radicale.fill(CARDS)
            eventually("the demo", lambda: os.path.exists(info_file))
            with open(info_file) as file:
                terminal = Terminal(directory, json.load(file))
            terminal.login()
            walk(radicale, terminal)
            stops, kept = half_way(radicale, terminal)
        finally:
            radicale.stop()
            demo.terminate()
            demo.wait()
    print(
        f"Radicale: {CARDS} cards pulled and delivered, then what changed alone; a dead token, a wrong password, "
        f"and {stops} stops half-way, after which {kept} cards were not fetched again"
    )


main()
