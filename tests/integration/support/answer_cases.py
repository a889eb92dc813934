"""Answers of functions as bytes, good and bad; each name begins with the row of the table of bad answers."""

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"


def ok(*lines, body=b"", version=b"1.1"):
    head = b"".join(line + b"\r\n" for line in lines)
    return b"HTTP/" + version + b" 200 OK\r\n" + head + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"

# name → (bytes, what the function does then)
BROKEN = {
    "u01 content-length and chunked": (ok(b"Content-Length: 5", CHUNKED, body=END), "silent"),
    "u02 two content-lengths": (ok(b"Content-Length: 2", b"Content-Length: 3", body=b"hi!"), "silent"),
    "u03 negative content-length": (ok(b"Content-Length: -1"), "silent"),
    "u03 20 digits": (ok(b"Content-Length: 99999999999999999999"), "silent"),
    "u03 list": (ok(b"Content-Length: 2, 3", body=b"hi!"), "silent"),
    "u03 plus": (ok(b"Content-Length: +2", body=b"hi"), "silent"),
    "u03 letters": (ok(b"Content-Length: two", body=b"hi"), "silent"),
    "u04 gzip": (ok(b"Transfer-Encoding: gzip", body=b"abc"), "close"),
    "u04 chunked then gzip": (ok(b"Transfer-Encoding: chunked, gzip", body=b"abc"), "close"),
    "u04 gzip then chunked": (ok(b"Transfer-Encoding: gzip, chunked", body=END), "silent"),
    "u04 two lines": (ok(CHUNKED, CHUNKED, body=END), "silent"),
    "u04 identity": (ok(b"Transfer-Encoding: identity", body=b"abc"), "close"),
    "u05 chunked in 1.0": (ok(CHUNKED, body=END, version=b"1.0"), "close"),
    "u07 body until RST": (ok(body=b"half"), "reset"),
    "u08 short content-length": (ok(b"Content-Length: 10", body=b"hi"), "close"),
    "u08 no last chunk": (ok(CHUNKED, body=b"2\r\nhi\r\n"), "close"),
    "u08 half a chunk": (ok(CHUNKED, body=b"a\r\nhi"), "close"),
    "u08 half a head": (OK + b"Content-Le", "close"),
    "u08 last chunk without its end": (ok(CHUNKED, body=b"2\r\nhi\r\n0\r\n"), "close"),
    "u09 chunk size 0x2": (ok(CHUNKED, body=b"0x2\r\nhi\r\n" + END), "silent"),
    "u09 chunk size +2": (ok(CHUNKED, body=b"+2\r\nhi\r\n" + END), "silent"),
    "u09 chunk size negative": (ok(CHUNKED, body=b"-2\r\nhi\r\n" + END), "silent"),
    "u09 chunk size overflow": (ok(CHUNKED, body=b"FFFFFFFFFFFFFFFF0\r\nhi\r\n" + END), "silent"),
    "u09 chunk size huge": (ok(CHUNKED, body=b"FFFFFFFFFFFFFFFF\r\nhi\r\n" + END), "silent"),
    "u09 chunk extension of 64 KiB": (ok(CHUNKED, body=b"2;x=" + b"y" * 65536 + b"\r\nhi\r\n" + END), "silent"),
    "u09 no line end after chunk": (ok(CHUNKED, body=b"2\r\nhi0\r\n\r\n"), "silent"),
    "u13 switching protocols": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "silent"
    ),
    "u16 LF line ends": (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "silent"),
    "u16 space before colon": (ok(b"X : a", b"Content-Length: 0"), "silent"),
    "u16 NUL in a value": (ok(b"X: a\0b", b"Content-Length: 0"), "silent"),
    "u16 CR in a value": (ok(b"X: a\rb", b"Content-Length: 0"), "silent"),
    "u16 empty name": (ok(b": a", b"Content-Length: 0"), "silent"),
    "u17 status 99": (b"HTTP/1.1 99 No\r\n" + EMPTY, "silent"),
    "u17 status 000": (b"HTTP/1.1 000 No\r\n" + EMPTY, "silent"),
    "u17 status 600": (b"HTTP/1.1 600 No\r\n" + EMPTY, "silent"),
    "u17 status 1000": (b"HTTP/1.1 1000 No\r\n" + EMPTY, "silent"),
    "u17 status abc": (b"HTTP/1.1 abc No\r\n" + EMPTY, "silent"),
    "u17 HTTP 2.0": (b"HTTP/2.0 200 OK\r\n" + EMPTY, "silent"),
    "u17 HTTP 0.9": (b"hello, I am text", "close"),
    "u17 random": (bytes(range(1, 200)), "close"),
    "u17 TLS alert": (b"\x15\x03\x01\x00\x02\x02\x46", "close"),
    "u17 other protocol": (b"220 mail.example ESMTP\r\n", "silent"),
    "u18 200 KiB of headers": (OK + (b"X: " + b"y" * 4000 + b"\r\n") * 50 + EMPTY, "silent"),
    "u18 101 lines": (OK + b"X: y\r\n" * 100 + EMPTY, "silent"),
    "u18 one line of 1 MiB": (OK + b"X: " + b"y" * 1048576 + b"\r\n" + EMPTY, "silent"),
    "u29 reset after the request": (b"", "reset"),
    "u29 end before the first byte": (b"", "close"),
}

PLAIN = b"Content-Type: text/plain"
GOOD = {
    "u06 until the end": (ok(PLAIN, body=b"hi"), "close", b"hi"),
    "u06 HTTP 1.0 until the end": (ok(PLAIN, body=b"hi", version=b"1.0"), "close", b"hi"),
    "u06 empty until the end": (ok(PLAIN), "close", b""),
    "u08 equal content-length and end": (ok(b"Content-Length: 2", body=b"hi"), "close", b"hi"),
    "u09 leading zeros and extension": (ok(CHUNKED, body=b"002;a=b\r\nhi\r\n0\r\n\r\n"), "keep", b"hi"),
    "u09 trailers": (ok(CHUNKED, body=b"2\r\nhi\r\n0\r\nX: y\r\n\r\n"), "keep", b"hi"),
    "u11 100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"Content-Length: 2", body=b"hi"), "keep", b"hi"),
    "u11 103 first": (
        b"HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n" + ok(b"Content-Length: 2", body=b"hi"), "keep", b"hi"
    ),
    "u11 several": (b"HTTP/1.1 102 P\r\n\r\n" * 5 + ok(b"Content-Length: 2", body=b"hi"), "keep", b"hi"),
    "u21 close and extra bytes": (
        ok(b"Connection: close", b"Content-Length: 2", body=b"hi, extra"), "close", b"hi"
    ),
    "u23 no reason phrase": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", "keep", b"hi"),
    "u23 another reason": (b"HTTP/1.1 200 Very \xfc Fine\r\nContent-Length: 2\r\n\r\nhi", "keep", b"hi"),
}
