// A load generator that measures each answer's latency.
//
// usage: pace PORT FILE CLIENTS OUT open RATE SECONDS      queries at RATE a second, whatever comes back
//        pace PORT FILE CLIENTS OUT closed WINDOW SECONDS  as fast as answers come, WINDOW queries outstanding
//
// FILE: "name type class" a line (class "miss" is special, below). OUT gets three 32-bit integers for each query sent:
// latency in tenths of a microsecond or -1, response code or -1, and how much later than intended it was sent, in
// tenths of a microsecond. Standard output: "sent", "took in microseconds", "strange answers".
//
// Open: intervals are exponential (Poisson arrivals, seeded), and latency counts from the moment a query was meant to
// be sent: a server that stops for a while is charged for all who would have asked meanwhile (no coordinated omission).
// An answer's time is the kernel's receive time, so that it does not wait for this program to be scheduled.
//
// Closed: queries of class "miss" wait for an upstream, so they do not count for WINDOW (they have a bound of their
// own); otherwise the server would be idle while the upstream is waited for. Each run ends at the end of FILE.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum { CLIENTS = 512, IDS = 16384, BATCH = 32, SIZE = 1232, BURST = 32, MISSES_OUT = 3000, LATE_ID = -1 };
static const int64_t LOST_NS = 1000000000, PATIENCE_NS = 2000000000;

struct query {
    unsigned char *wire;
    int size, is_miss;
};
struct outcome {
    int32_t latency, code, lag;
};

static struct query *queries;
static int count;
static int32_t slots[CLIENTS][IDS];
static int sockets[CLIENTS], clients;
static struct outcome *outcomes;
static int64_t *intended;
static int64_t sent, oldest, strange, hits_out, misses_out, answered;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int type_of(const char *text) {
    static const struct { const char *text; int value; } known[] = {{"A", 1},     {"PTR", 12},  {"MX", 15},
                                                                    {"AAAA", 28}, {"HTTPS", 65}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].text, text)) return known[i].value;
    fprintf(stderr, "pace: no type %s\n", text);
    exit(2);
}

static struct query made(char *name, const char *type, int is_miss) {
    unsigned char wire[SIZE] = {0, 0, 1, 0, 0, 1};
    int at = 12, value = type_of(type);
    for (char *label = strtok(name, "."); label; label = strtok(0, ".")) {
        size_t size = strlen(label);
        if (size > 63 || at + size > 12 + 254) exit(2);
        wire[at++] = (unsigned char)size;
        memcpy(wire + at, label, size);
        at += (int)size;
    }
    wire[at++] = 0;
    wire[at++] = (unsigned char)(value >> 8);
    wire[at++] = (unsigned char)value;
    wire[at++] = 0;
    wire[at++] = 1;
    struct query one = {malloc((size_t)at), at, is_miss};
    memcpy(one.wire, wire, (size_t)at);
    return one;
}

static void read_queries(const char *path) {
    char line[512], name[300], type[16], class[16];
    FILE *file = fopen(path, "r");
    int room = 0;
    if (!file) exit(2);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%299s %15s %15s", name, type, class) != 3) exit(2);
        if (count == room) queries = realloc(queries, (size_t)(room = room ? 2 * room : 4096) * sizeof *queries);
        queries[count++] = made(name, type, !strcmp(class, "miss"));
    }
    fclose(file);
    if (!count) exit(2);
}

// Each client has an address and a port of its own, as in an office.
static void open_clients(int port, int poll) {
    for (int i = 0; i < clients; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}, from = to;
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        int on = 1, room = 4 << 20;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        from.sin_addr.s_addr = htonl(0x7f000101u + (uint32_t)(i / 200) * 256 + (uint32_t)(i % 200));
        from.sin_port = 0;
        sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(sockets[i], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
        if (bind(sockets[i], (struct sockaddr *)&from, sizeof from) ||
            connect(sockets[i], (struct sockaddr *)&to, sizeof to) || epoll_ctl(poll, EPOLL_CTL_ADD, sockets[i], &event))
            exit(3);
    }
}

static int64_t *outstanding(int64_t number) { return queries[number % count].is_miss ? &misses_out : &hits_out; }

static void send_next(int64_t meant_ns) {
    struct query *one = &queries[sent % count];
    int client = (int)(sent % clients), id = (int)(sent / clients % IDS);
    one->wire[0] = (unsigned char)(id >> 8);
    one->wire[1] = (unsigned char)id;
    slots[client][id] = (int32_t)sent;
    intended[sent] = meant_ns;
    outcomes[sent] = (struct outcome){-1, -1, (int32_t)((now_ns() - meant_ns) / 100)};
    ++*outstanding(sent);
    sent++;
    // A refused or full socket is a query without an answer, which is what will be counted.
    if (send(sockets[client], one->wire, (size_t)one->size, 0) < 0 && errno != ECONNREFUSED && errno != EAGAIN) exit(4);
}

static void note(int client, const unsigned char *bytes, unsigned size, int64_t at_ns) {
    int id = size > 3 ? bytes[0] << 8 | bytes[1] : IDS;
    int32_t number = id < IDS ? slots[client][id] : LATE_ID;
    struct query *one = number >= 0 ? &queries[number % count] : 0;
    if (!one || (int)size < one->size || !(bytes[2] & 0x80) || outcomes[number].code >= 0 ||
        memcmp(bytes + 12, one->wire + 12, (size_t)one->size - 12)) {
        strange++;
        return;
    }
    if (outcomes[number].code == -1) --*outstanding(number);
    outcomes[number].latency = (int32_t)((at_ns - intended[number]) / 100);
    outcomes[number].code = bytes[3] & 15;
    answered++;
}

static int64_t received_ns(struct msghdr *header) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part))
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(part), sizeof at);
            return at.tv_sec * 1000000000LL + at.tv_nsec;
        }
    return now_ns();
}

static void drain(int client) {
    static unsigned char bytes[BATCH][SIZE], control[BATCH][64];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){bytes[i], SIZE};
        messages[i].msg_hdr = (struct msghdr){0, 0, &parts[i], 1, control[i], sizeof control[i], 0};
    }
    int got = recvmmsg(sockets[client], messages, BATCH, 0, 0);
    for (int i = 0; i < got; i++) note(client, bytes[i], messages[i].msg_len, received_ns(&messages[i].msg_hdr));
}

// What is lost must not hold its place in the window for ever. Code -2: given up, though it may still come.
static void give_up(int64_t now) {
    for (; oldest < sent; oldest++) {
        if (outcomes[oldest].code != -1) continue;
        if (now - intended[oldest] < LOST_NS) return;
        --*outstanding(oldest);
        outcomes[oldest].code = -2;
    }
}

static double interval_ns(double rate) {
    static uint64_t state = 88172645463325252ULL;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return -log(((double)(state >> 11) + 1.0) / 9007199254740993.0) * 1e9 / rate;
}

static void save(const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file) exit(2);
    for (int64_t i = 0; i < sent; i++)
        if (outcomes[i].code < 0) outcomes[i].code = -1;
    fwrite(outcomes, sizeof *outcomes, (size_t)sent, file);
    if (fclose(file)) exit(2);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 8) return 2;
    int is_open = !strcmp(arguments[5], "open"), poll = epoll_create1(0);
    double rate = atof(arguments[6]), seconds = atof(arguments[7]);
    clients = atoi(arguments[3]);
    if (clients < 1 || clients > CLIENTS || rate < 1 || seconds <= 0) return 2;
    read_queries(arguments[2]);
    open_clients(atoi(arguments[1]), poll);
    memset(slots, 0xff, sizeof slots);
    prctl(PR_SET_TIMERSLACK, 1);
    int64_t total = is_open ? (int64_t)(rate * seconds) : count;
    outcomes = calloc((size_t)total, sizeof *outcomes);
    intended = calloc((size_t)total, sizeof *intended);
    int64_t start = now_ns(), now = start, last_sent = start, end = start + (int64_t)(seconds * 1e9);
    double due = (double)start;
    for (;;) {
        int burst = BURST;
        for (now = now_ns(); burst && sent < total; burst--) {
            if (is_open ? due > (double)now : now > end) break;
            if (!is_open && (queries[sent % count].is_miss ? misses_out >= MISSES_OUT : hits_out >= (int64_t)rate)) break;
            send_next(is_open ? (int64_t)due : (now = now_ns()));
            due += is_open ? interval_ns(rate) : 0;
            last_sent = now;
        }
        give_up(now);
        int is_sending = is_open ? sent < total : sent < total && now <= end;
        if (!is_sending && (answered == sent || now - last_sent > PATIENCE_NS)) break;
        struct epoll_event events[64];
        int64_t wait = !burst ? 0 : is_open && is_sending ? (int64_t)due - now : 1000000;
        struct timespec until = {0, wait < 0 ? 0 : wait > 1000000 ? 1000000 : wait};
        int ready = epoll_pwait2(poll, events, 64, &until, 0);
        for (int i = 0; i < ready; i++) drain((int)events[i].data.u32);
    }
    save(arguments[4]);
    // An open run lasts as long as it was meant to; what it took to wait for the last answers is latency.
    printf("%lld %lld %lld\n", (long long)sent, (long long)((last_sent - start) / 1000), (long long)strange);
    return 0;
}
