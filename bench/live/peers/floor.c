/* The floor: epoll, one prebuilt frame an event, one send() a socket. No GraphQL, no buffers, nothing else.

   It reads PORT, REDIS_PORT, REDIS_PASSWORD, TOPIC, BEFORE and BEHIND; a frame's text is BEFORE, the event, BEHIND. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 17, HEAD = 4096, REDIS = 1 << 20 };

static char *heads[MOST];      /* what came of a request so far; NULL once it is answered */
static int lengths[MOST];
static int sockets[MOST], places[MOST], count;
static char heard[REDIS];
static size_t heard_length;
static const char *before, *behind;

static void die(const char *what) { perror(what); exit(1); }

static void sha1(const uint8_t *text, size_t length, uint8_t out[20]) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t padded[192] = {0};
    size_t blocks = (length + 8) / 64 + 1;
    memcpy(padded, text, length);
    padded[length] = 0x80;
    for (int i = 0; i < 8; i++) padded[blocks * 64 - 1 - i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));
    for (size_t b = 0; b < blocks; b++) {
        uint32_t w[80];
        for (int i = 0; i < 16; i++) {
            const uint8_t *p = padded + b * 64 + i * 4;
            w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        }
        for (int i = 16; i < 80; i++) {
            uint32_t x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
            w[i] = x << 1 | x >> 31;
        }
        uint32_t a = h[0], c1 = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f, k;
            if (i < 20) { f = (c1 & c) | (~c1 & d); k = 0x5A827999; }
            else if (i < 40) { f = c1 ^ c ^ d; k = 0x6ED9EBA1; }
            else if (i < 60) { f = (c1 & c) | (c1 & d) | (c & d); k = 0x8F1BBCDC; }
            else { f = c1 ^ c ^ d; k = 0xCA62C1D6; }
            uint32_t t = (a << 5 | a >> 27) + f + e + k + w[i];
            e = d; d = c; c = c1 << 30 | c1 >> 2; c1 = a; a = t;
        }
        h[0] += a; h[1] += c1; h[2] += c; h[3] += d; h[4] += e;
    }
    for (int i = 0; i < 20; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64(const uint8_t in[20], char out[29]) {
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t padded[21] = {0};
    memcpy(padded, in, 20);
    for (int i = 0; i < 7; i++) {
        uint32_t three = (uint32_t)padded[i * 3] << 16 | (uint32_t)padded[i * 3 + 1] << 8 | padded[i * 3 + 2];
        for (int k = 0; k < 4; k++) out[i * 4 + k] = set[three >> (18 - 6 * k) & 63];
    }
    out[27] = '=';
    out[28] = 0;
}

static void leave(int fd) {
    if (fd < MOST && heads[fd] == NULL && places[fd] >= 0) {
        sockets[places[fd]] = sockets[--count];
        places[sockets[places[fd]]] = places[fd];
    } else if (fd < MOST) {
        free(heads[fd]);
        heads[fd] = NULL;
    }
    places[fd] = -1;
    close(fd);
}

/* Answer the upgrade; false where it is none. */
static int upgrade(int fd) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char *key = strcasestr(heads[fd], "\r\nsec-websocket-key:");
    if (key == NULL) return 0;
    key += 20;
    while (*key == ' ') key++;
    size_t length = strcspn(key, "\r");
    if (length > 64) return 0;
    uint8_t joined[128], digest[20];
    char accept[29], answer[256];
    memcpy(joined, key, length);
    memcpy(joined + length, guid, 36);
    sha1(joined, length + 36, digest);
    base64(digest, accept);
    int size = snprintf(answer, sizeof answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    free(heads[fd]);
    heads[fd] = NULL;
    places[fd] = count;
    sockets[count++] = fd;
    return send(fd, answer, (size_t)size, MSG_NOSIGNAL) == size;
}

static void hear(int fd) {
    if (heads[fd] == NULL) {
        char ignored[HEAD];
        ssize_t got = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) leave(fd);
        return;
    }
    ssize_t got = recv(fd, heads[fd] + lengths[fd], (size_t)(HEAD - 1 - lengths[fd]), MSG_DONTWAIT);
    if (got <= 0) { leave(fd); return; }
    lengths[fd] += (int)got;
    heads[fd][lengths[fd]] = 0;
    if (strstr(heads[fd], "\r\n\r\n") != NULL && !upgrade(fd)) leave(fd);
}

static void deliver(const char *event, size_t length) {
    static char frame[1 << 16];
    size_t first = strlen(before), last = strlen(behind), text = first + length + last;
    if (text < 126 || text > 65000) { fprintf(stderr, "an event of %zu bytes\n", length); exit(1); }
    frame[0] = (char)0x81;
    frame[1] = 126;
    frame[2] = (char)(text >> 8);
    frame[3] = (char)text;
    memcpy(frame + 4, before, first);
    memcpy(frame + 4 + first, event, length);
    memcpy(frame + 4 + first + length, behind, last);
    for (int i = 0; i < count; i++)
        if (send(sockets[i], frame, text + 4, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)(text + 4) &&
            errno != EPIPE && errno != ECONNRESET) die("send");
}

/* One reply of Redis at the beginning of what was heard: its size, or 0 while some of it is missing. */
static size_t reply(void) {
    char *end = memmem(heard, heard_length, "\r\n", 2);
    if (end == NULL) return 0;
    if (heard[0] == '-') { fprintf(stderr, "%.*s\n", (int)(end - heard), heard); exit(1); }
    if (heard[0] != '*') return (size_t)(end - heard) + 2;
    int parts = atoi(heard + 1);
    char *at = end + 2, *texts[3] = {NULL}, *stop = heard + heard_length;
    size_t sizes[3] = {0};
    for (int i = 0; i < parts; i++) {
        end = memmem(at, (size_t)(stop - at), "\r\n", 2);
        if (end == NULL) return 0;
        size_t size = *at == '$' ? (size_t)atoi(at + 1) : 0;
        int bulk = *at == '$';
        at = end + 2;
        if (!bulk) continue;
        if ((size_t)(stop - at) < size + 2) return 0;
        if (i < 3) { texts[i] = at; sizes[i] = size; }
        at += size + 2;
    }
    if (sizes[0] == 7 && memcmp(texts[0], "message", 7) == 0) deliver(texts[2], sizes[2]);
    return (size_t)(at - heard);
}

static int redis(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(getenv("REDIS_PORT")))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die("redis");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const char *password = getenv("REDIS_PASSWORD");
    if (password != NULL && *password) dprintf(fd, "AUTH %s\r\n", password);
    dprintf(fd, "SUBSCRIBE %s\r\n", getenv("TOPIC"));
    return fd;
}

int main(void) {
    before = getenv("BEFORE");
    behind = getenv("BEHIND");
    for (int i = 0; i < MOST; i++) places[i] = -1;
    int bus = redis(), poll = epoll_create1(0), on = 1, listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(getenv("PORT")))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listening, (struct sockaddr *)&address, sizeof address) < 0 || listen(listening, 4096) < 0) die("listen");
    int first[] = {bus, listening};
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = first[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, first[i], &event);
    }
    for (;;) {
        struct epoll_event events[1024];
        int ready = epoll_wait(poll, events, 1024, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listening) {
                int taken;
                while ((taken = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (taken >= MOST) die("too many");
                    setsockopt(taken, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    heads[taken] = malloc(HEAD);
                    lengths[taken] = 0;
                    struct epoll_event event = {.events = EPOLLIN, .data.fd = taken};
                    epoll_ctl(poll, EPOLL_CTL_ADD, taken, &event);
                }
            } else if (fd == bus) {
                ssize_t got = recv(bus, heard + heard_length, REDIS - heard_length, 0);
                if (got <= 0) die("redis is gone");
                heard_length += (size_t)got;
                size_t used;
                while (heard_length > 0 && (used = reply()) > 0) {
                    memmove(heard, heard + used, heard_length - used);
                    heard_length -= used;
                }
            } else {
                hear(fd);
            }
        }
    }
}
