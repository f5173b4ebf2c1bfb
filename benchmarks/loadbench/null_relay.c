/* The floor: a WebSocket relay that does nothing but what cannot be left out. One thread, epoll, no allocation for a
 * frame. Whoever opens the same path is in the same room; a text frame goes, as it is, to everybody in its room. It
 * listens on a free port of the loopback address, says which on standard output, and ends when its input does. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS 65536
#define ROOMS 65536
#define SEATS 8
#define BUFFER 8192
#define EVENTS 512

struct peer { char *buffer; int used, open, room; };
struct room { char *path; int seats[SEATS]; };
static struct peer peers[PEERS];
static struct room rooms[ROOMS];

static uint32_t rolled(uint32_t x, int n) { return (x << n) | (x >> (32 - n)); }

static void sha1(const unsigned char *text, size_t size, unsigned char *digest) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    unsigned char block[128] = {0};
    size_t blocks = size < 56 ? 1 : 2; /* 60 bytes are all that is ever hashed here */
    memcpy(block, text, size);
    block[size] = 0x80;
    for (int i = 0; i < 8; i++) block[blocks * 64 - 1 - i] = (unsigned char)((size * 8) >> (8 * i));
    for (size_t at = 0; at < blocks; at++) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 16; i++) {
            const unsigned char *p = block + at * 64 + i * 4;
            w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        }
        for (int i = 16; i < 80; i++) w[i] = rolled(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            uint32_t next = rolled(a, 5) + f + e + k + w[i];
            e = d; d = c; c = rolled(b, 30); b = a; a = next;
        }
        h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e;
    }
    for (int i = 0; i < 20; i++) digest[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64(const unsigned char *in, char *out) { /* 20 bytes */
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char padded[21] = {0};
    memcpy(padded, in, 20);
    for (int i = 0; i < 7; i++) {
        uint32_t three = (uint32_t)padded[i * 3] << 16 | (uint32_t)padded[i * 3 + 1] << 8 | padded[i * 3 + 2];
        for (int j = 0; j < 4; j++) out[i * 4 + j] = digits[(three >> (18 - 6 * j)) & 63];
    }
    out[27] = '=';
    out[28] = 0;
}

static int room_of(const char *path) {
    uint32_t hash = 2166136261u;
    for (const char *c = path; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    for (int at = (int)(hash % ROOMS);; at = (at + 1) % ROOMS) {
        if (!rooms[at].path) {
            rooms[at].path = strdup(path);
            memset(rooms[at].seats, -1, sizeof rooms[at].seats);
        }
        if (!strcmp(rooms[at].path, path)) return at;
    }
}

static void leave(int fd) {
    if (peers[fd].open)
        for (int i = 0; i < SEATS; i++)
            if (rooms[peers[fd].room].seats[i] == fd) rooms[peers[fd].room].seats[i] = -1;
    free(peers[fd].buffer);
    memset(&peers[fd], 0, sizeof peers[fd]);
    close(fd);
}

static int shake_hands(int fd) { /* 0 when the head is not whole, -1 when it is none */
    struct peer *one = &peers[fd];
    one->buffer[one->used] = 0;
    char *end = strstr(one->buffer, "\r\n\r\n"), *key = strcasestr(one->buffer, "sec-websocket-key:"), path[512], text[61];
    if (!end) return one->used >= BUFFER - 1 ? -1 : 0;
    if (!key || sscanf(one->buffer, "GET %511s", path) != 1) return -1;
    if (sscanf(key + 18, " %24s", text) != 1 || strlen(text) != 24) return -1;
    memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37);
    unsigned char digest[20];
    char accept_key[29], answer[256];
    sha1((unsigned char *)text, 60, digest);
    base64(digest, accept_key);
    int size = snprintf(answer, sizeof answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
        accept_key);
    if (send(fd, answer, (size_t)size, MSG_NOSIGNAL) != size) return -1;
    one->room = room_of(path);
    one->open = 1;
    for (int i = 0; i < SEATS; i++)
        if (rooms[one->room].seats[i] < 0) {
            rooms[one->room].seats[i] = fd;
            break;
        }
    int head = (int)(end + 4 - one->buffer);
    memmove(one->buffer, one->buffer + head, (size_t)(one->used - head));
    one->used -= head;
    return 1;
}

static int hear(int fd) {
    struct peer *one = &peers[fd];
    int at = 0;
    while (one->used - at >= 6) {
        unsigned char *p = (unsigned char *)one->buffer + at;
        int size = p[1] & 0x7F, head = 2, opcode = p[0] & 0x0F;
        if (size == 126) { size = p[2] << 8 | p[3]; head = 4; }
        if (size > BUFFER - 16 || opcode == 8) return -1;
        if (one->used - at < head + 4 + size) break;
        unsigned char *mask = p + head, *text = p + head + 4;
        for (int i = 0; i < size; i++) text[i] ^= mask[i & 3];
        unsigned char *out = text - head; /* the same head without its mask, straight before the text */
        if (opcode == 9) p[0] = 0x8A;
        unsigned char first = p[0];
        out[0] = first;
        if (head == 4) { out[1] = 126; out[2] = (unsigned char)(size >> 8); out[3] = (unsigned char)size; }
        else out[1] = (unsigned char)size;
        if (opcode == 9) {
            if (send(fd, out, (size_t)(head + size), MSG_NOSIGNAL) < 0) return -1;
        } else if (opcode == 1) {
            for (int i = 0; i < SEATS; i++) {
                int seat = rooms[one->room].seats[i];
                if (seat >= 0 && send(seat, out, (size_t)(head + size), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && seat == fd) return -1;
            }
        }
        at += head + 4 + size;
    }
    memmove(one->buffer, one->buffer + at, (size_t)(one->used - at));
    one->used -= at;
    return 0;
}

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) return 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = 0;
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == 0) {
                char byte;
                if (read(0, &byte, 1) <= 0) return 0;
            } else if (fd == listener) {
                int next = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (next < 0) continue;
                if (next >= PEERS) { close(next); continue; }
                setsockopt(next, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                peers[next].buffer = malloc(BUFFER);
                event.data.fd = next;
                epoll_ctl(epoll, EPOLL_CTL_ADD, next, &event);
            } else {
                struct peer *one = &peers[fd];
                if (!one->buffer) continue;
                ssize_t got = recv(fd, one->buffer + one->used, (size_t)(BUFFER - 1 - one->used), 0);
                if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
                if (got <= 0) { leave(fd); continue; }
                one->used += (int)got;
                int well = one->open ? 1 : shake_hands(fd);
                if (well < 0 || (well > 0 && hear(fd) < 0)) leave(fd);
            }
        }
    }
}
