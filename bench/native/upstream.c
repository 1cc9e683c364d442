/*
 * upstream: answers like the Messages API, from memory, so that what a benchmark measures is the gateway in front of it.
 *
 *   upstream PORT            listens on 127.0.0.1:PORT (0 = any) and prints {"port":N} once it does
 *
 * One thread, epoll, HTTP/1.1 with keep-alive. A request says in its own body which answer it wants, because a model
 * name or a header may not survive the gateway:
 *   bench-plan:json;         a plain answer of about 1 KB
 *   bench-plan:sse:N:D;      a stream of N events, D ms between text deltas; D = 0 sends them back to back
 * Every event is its own send() and its own HTTP chunk. In a paced stream the text of each delta is "t=" and 19 digits:
 * CLOCK_MONOTONIC nanoseconds at the moment of sending, so that a reader on this machine can tell how long it travelled.
 *
 * A path that begins with /model/ is answered as Amazon Bedrock does: the same events as frames of
 * application/vnd.amazon.eventstream (https://smithy.io/2.0/aws/amazon-eventstream.html), never with times of sending. It must
 * have a signature, which is not verified; without one the answer is 403.
 * GET /bench/stats tells what was served; it lets the harness check that a gateway neither cached nor retried.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_HEADER = 65536, MAX_BODY = 64 << 20, OUT_SIZE = 8192, PREAMBLE = 3, TAIL = 3, MIN_EVENTS = PREAMBLE + 1 + TAIL };
enum phase { READ_HEADER, READ_BODY, ANSWER };
enum chunk_phase { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER };

struct text {
  char *bytes;
  size_t length;
};

/* The answers as one API words and frames them. */
struct form {
  struct text json, head, start, block, ping, delta, block_stop, usage, stop;
  int stamped; /* whether a delta can be given its time */
};

struct conn {
  int fd;
  enum phase phase;
  char *in;               /* raw bytes of the request being read, then of the next one */
  size_t in_size, in_length;
  size_t header_length;   /* where the body starts in `in` */
  size_t body_length;     /* declared, or decoded so far when chunked */
  size_t scanned;         /* how far the chunked decoder has read `in` */
  int chunked;
  enum chunk_phase chunk_phase;
  size_t chunk_left;
  int trailer_line;       /* bytes of the trailer line being read */
  int close_after;
  char out[OUT_SIZE];     /* what could not be sent yet */
  size_t out_from, out_to;
  int wants_write;
  const struct form *form;
  int events, next_event, pace_ms;
  int64_t due_ns;
  int heap_at;            /* place in the timer heap, -1 when not waiting */
};

static int poller;
static struct conn **heap;
static int heap_count, heap_size;
static struct {
  uint64_t requests, body_bytes, aborted;
} stats;
static struct form messages, bedrock;
static struct text unsigned_answer;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
  fprintf(stderr, "upstream: %s: %s\n", what, strerror(errno));
  exit(1);
}

static const char USAGE[] = "\"usage\":{\"input_tokens\":412,\"cache_creation_input_tokens\":1280,\"cache_read_input_tokens\":23552,"
  "\"cache_creation\":{\"ephemeral_5m_input_tokens\":1280,\"ephemeral_1h_input_tokens\":0},\"output_tokens\":%d,\"service_tier\":\"standard\"}";
static const char MODEL[] = "claude-sonnet-4-6";

static struct text keep(const char *bytes, size_t length) {
  struct text t = {malloc(length), length};
  memcpy(t.bytes, bytes, length);
  return t;
}

/* ---- framing: a payload as an HTTP chunk ---- */

static struct text chunk(const char *payload, size_t length, int last) {
  char framed[4096];
  int at = sprintf(framed, "%zx\r\n", length);
  memcpy(framed + at, payload, length);
  at += length;
  at += sprintf(framed + at, "\r\n%s", last ? "0\r\n\r\n" : "");
  return keep(framed, at);
}

static struct text sse_event(const char *event, const char *data, int last) {
  char payload[2048];
  return chunk(payload, snprintf(payload, sizeof payload, "event: %s\ndata: %s\n\n", event, data), last);
}

static size_t base64(const char *from, size_t length, char *to) {
  static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *at = (const unsigned char *)from;
  char *start = to;
  for (size_t left = length; left; left -= left < 3 ? left : 3, at += 3) {
    uint32_t three = at[0] << 16 | (left > 1 ? at[1] << 8 : 0) | (left > 2 ? at[2] : 0);
    for (int i = 0; i < 4; i++) *to++ = (size_t)i <= left ? DIGITS[three >> (18 - 6 * i) & 63] : '=';
  }
  return to - start;
}

static uint32_t crc32(const char *bytes, size_t length) { /* ISO 3309, reflected */
  uint32_t sum = ~0u;
  for (size_t i = 0; i < length; i++) {
    sum ^= (unsigned char)bytes[i];
    for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >> 1 ^ 0xedb88320u : sum >> 1;
  }
  return ~sum;
}

static void put_u32(char *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}

/* An event of InvokeModelWithResponseStream: its JSON in base64, beside it padding of some length as Bedrock sends it. */
static struct text bedrock_event(const char *event, const char *data, int last) {
  static const char HEADERS[] = "\013:event-type\007\000\005chunk\015:content-type\007\000\020application/json\015:message-type\007\000\005event";
  static const char PADDING[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL";
  enum { PRELUDE_BYTES = 12, HEADER_BYTES = sizeof HEADERS - 1 };
  char frame[4000], *at = frame + PRELUDE_BYTES;
  memcpy(at, HEADERS, HEADER_BYTES);
  at += HEADER_BYTES;
  at += sprintf(at, "{\"bytes\":\"");
  at += base64(data, strlen(data), at);
  at += sprintf(at, "\",\"p\":\"%.*s\"}", 12 + (int)(strlen(event) % 24), PADDING);
  put_u32(frame, at - frame + 4);
  put_u32(frame + 4, HEADER_BYTES);
  put_u32(frame + 8, crc32(frame, 8));
  put_u32(at, crc32(frame, at - frame));
  return chunk(frame, at - frame + 4, last);
}

/* ---- the answers, rendered once ---- */

static struct text whole(const char *status, const char *head, const char *body) {
  char bytes[5000];
  int length = snprintf(bytes, sizeof bytes, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", status, head, strlen(body), body);
  return keep(bytes, length);
}

static struct text stream_head(const char *type, const char *head) {
  char bytes[1000];
  int length = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%sTransfer-Encoding: chunked\r\n\r\n", type, head);
  return keep(bytes, length);
}

static void render_events(struct form *form, struct text (*event)(const char *, const char *, int), const char *metrics) {
  char usage[512], data[1600];
  snprintf(usage, sizeof usage, USAGE, 1);
  snprintf(data, sizeof data,
    "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_01Bench0000000000000000\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"%s\",\"content\":[],"
    "\"stop_reason\":null,\"stop_sequence\":null,%s}}", MODEL, usage);
  form->start = event("message_start", data, 0);
  form->block = event("content_block_start", "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}", 0);
  form->ping = event("ping", "{\"type\":\"ping\"}", 0);
  form->delta = event("content_block_delta",
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"t=0000000000000000000 \"}}", 0);
  form->block_stop = event("content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}", 0);
  form->usage = event("message_delta",
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":412,"
    "\"cache_creation_input_tokens\":1280,\"cache_read_input_tokens\":23552,\"output_tokens\":187}}", 0);
  snprintf(data, sizeof data, "{\"type\":\"message_stop\"%s}", metrics);
  form->stop = event("message_stop", data, 1);
}

static void render_answers(void) {
  static const char MESSAGES_HEAD[] = "request-id: req_011Bench0000000000000000\r\nanthropic-organization-id: 00000000-0000-4000-8000-000000000001\r\n";
  static const char BEDROCK_HEAD[] = "x-amzn-RequestId: 00000000-0000-4000-8000-000000000002\r\n";
  static const char SENTENCE[] = "The regulator opens when the level behind the weir rises, and every litre that passes is counted. ";
  char usage[512], body[4096], text[700];
  for (size_t i = 0; i + 1 < sizeof text; i++) text[i] = SENTENCE[i % (sizeof SENTENCE - 1)];
  text[sizeof text - 1] = 0;
  snprintf(usage, sizeof usage, USAGE, 187);
  snprintf(body, sizeof body,
    "{\"id\":\"msg_01Bench0000000000000000\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"%s\",\"content\":[{\"type\":\"text\",\"text\":\"%s\"}],"
    "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,%s}", MODEL, text, usage);

  messages.json = whole("200 OK", MESSAGES_HEAD, body);
  messages.head = stream_head("text/event-stream; charset=utf-8\r\nCache-Control: no-cache", MESSAGES_HEAD);
  messages.stamped = 1;
  render_events(&messages, sse_event, "");

  bedrock.json = whole("200 OK", BEDROCK_HEAD, body);
  bedrock.head = stream_head("application/vnd.amazon.eventstream\r\nX-Amzn-Bedrock-Content-Type: application/json", BEDROCK_HEAD);
  render_events(&bedrock, bedrock_event,
    ",\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":412,\"outputTokenCount\":187,\"invocationLatency\":2218,\"firstByteLatency\":612}");
  unsigned_answer = whole("403 Forbidden", BEDROCK_HEAD, "{\"message\":\"Missing Authentication Token\"}");
}

/* ---- timers: a binary heap on due_ns ---- */

static void heap_put(struct conn *c, int at) {
  heap[at] = c;
  c->heap_at = at;
}

static void heap_up(struct conn *c, int at) {
  while (at > 0 && heap[(at - 1) / 2]->due_ns > c->due_ns) {
    heap_put(heap[(at - 1) / 2], at);
    at = (at - 1) / 2;
  }
  heap_put(c, at);
}

static void heap_down(struct conn *c, int at) {
  for (;;) {
    int child = at * 2 + 1;
    if (child >= heap_count) break;
    if (child + 1 < heap_count && heap[child + 1]->due_ns < heap[child]->due_ns) child++;
    if (heap[child]->due_ns >= c->due_ns) break;
    heap_put(heap[child], at);
    at = child;
  }
  heap_put(c, at);
}

static void timer_add(struct conn *c) {
  if (heap_count == heap_size) {
    heap_size = heap_size ? heap_size * 2 : 256;
    heap = realloc(heap, heap_size * sizeof *heap);
  }
  heap_up(c, heap_count++);
}

static void timer_remove(struct conn *c) {
  if (c->heap_at < 0) return;
  int at = c->heap_at;
  struct conn *last = heap[--heap_count];
  c->heap_at = -1;
  if (last == c) return;
  if (at > 0 && heap[(at - 1) / 2]->due_ns > last->due_ns) heap_up(last, at);
  else heap_down(last, at);
}

/* ---- sending ---- */

static void watch(struct conn *c, int write_too) {
  if (c->wants_write == write_too) return;
  c->wants_write = write_too;
  struct epoll_event e = {EPOLLIN | (write_too ? EPOLLOUT : 0), {.ptr = c}};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
}

/* 1 = all sent, 0 = the socket is full, -1 = the peer is gone. */
static int flush(struct conn *c) {
  while (c->out_from < c->out_to) {
    ssize_t n = send(c->fd, c->out + c->out_from, c->out_to - c->out_from, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) return -1;
      watch(c, 1);
      return 0;
    }
    c->out_from += n;
  }
  c->out_from = c->out_to = 0;
  watch(c, 0);
  return 1;
}

static void put(struct conn *c, struct text t) {
  memcpy(c->out + c->out_to, t.bytes, t.length);
  c->out_to += t.length;
}

static void put_stamped_delta(struct conn *c) {
  char *at = c->out + c->out_to;
  put(c, c->form->delta);
  char *digits = (char *)memmem(at, c->form->delta.length, "t=0", 3) + 2;
  uint64_t t = now_ns();
  for (int i = 18; i >= 0; i--, t /= 10) digits[i] = '0' + t % 10;
}

static void put_event(struct conn *c) {
  const struct form *form = c->form;
  int i = c->next_event++, from_end = c->events - i;
  if (i == 0) put(c, form->start);
  else if (i == 1) put(c, form->block);
  else if (i == 2) put(c, form->ping);
  else if (from_end == 3) put(c, form->block_stop);
  else if (from_end == 2) put(c, form->usage);
  else if (from_end == 1) put(c, form->stop);
  else if (c->pace_ms && form->stamped) put_stamped_delta(c);
  else put(c, form->delta);
}

static int finish(struct conn *c) {
  c->phase = READ_HEADER;
  return c->close_after ? -1 : 1;
}

/* Puts the events that leave together: one, or in a paced stream the preamble with the first delta and the last delta with the tail. */
static void put_next_events(struct conn *c) {
  int first_delta = PREAMBLE, last_delta = c->events - TAIL - 1;
  if (!c->pace_ms) {
    put_event(c);
    return;
  }
  if (c->next_event == 0) {
    c->due_ns = now_ns();
    while (c->next_event < first_delta) put_event(c);
  }
  put_event(c);
  c->due_ns += c->pace_ms * 1000000LL;
  while (c->next_event > last_delta && c->next_event < c->events) put_event(c);
}

/* Sends until done (1), full or waiting for the clock (0), or the peer is gone (-1). */
static int pump(struct conn *c) {
  for (;;) {
    int sent = flush(c);
    if (sent <= 0) return sent;
    if (c->next_event >= c->events) return finish(c);
    if (c->pace_ms && c->next_event && now_ns() < c->due_ns) {
      if (c->heap_at < 0) timer_add(c);
      return 0;
    }
    put_next_events(c);
  }
}

/* ---- the request ---- */

static const char *header(const char *head, size_t length, const char *name) {
  size_t n = strlen(name);
  const char *end = head + length, *line = memchr(head, '\n', length);
  for (; line && line + 1 + n < end; line = memchr(line + 1, '\n', end - line - 1))
    if (!strncasecmp(line + 1, name, n)) return line + 1 + n;
  return NULL;
}

static int answer(struct conn *c, const char *method, const char *body, size_t length) {
  c->phase = ANSWER;
  c->events = c->next_event = c->pace_ms = 0;
  c->due_ns = 0;
  if (memcmp(method, "POST", 4)) {
    char text[300];
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    int n = snprintf(text, sizeof text, "{\"requests\":%llu,\"bodyBytes\":%llu,\"aborted\":%llu,\"cpuSeconds\":%.6f}",
      (unsigned long long)stats.requests, (unsigned long long)stats.body_bytes, (unsigned long long)stats.aborted, cpu);
    c->out_to = sprintf(c->out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, memcmp(method, "HEAD", 4) ? text : "");
    return pump(c);
  }
  stats.requests++;
  stats.body_bytes += length;
  c->form = memcmp(method, "POST /model/", 12) ? &messages : &bedrock;
  if (c->form == &bedrock) {
    const char *credential = header(c->in, c->header_length, "authorization:");
    if (!credential || strncmp(credential + strspn(credential, " "), "AWS4-HMAC-SHA256 ", 17)) {
      put(c, unsigned_answer);
      return pump(c);
    }
  }
  static const char PLAN[] = "bench-plan:sse:";
  const char *plan = memmem(body, length < 8192 ? length : 8192, "bench-plan:", 11);
  if (!plan && length > 8192) plan = memmem(body, length, "bench-plan:", 11);
  if (plan && (size_t)(body + length - plan) > sizeof PLAN + 16 && !memcmp(plan, PLAN, sizeof PLAN - 1)) {
    char *rest;
    c->events = strtol(plan + sizeof PLAN - 1, &rest, 10);
    c->pace_ms = *rest == ':' ? strtol(rest + 1, NULL, 10) : 0;
    if (c->events < MIN_EVENTS) c->events = MIN_EVENTS;
    put(c, c->form->head);
  } else {
    put(c, c->form->json);
  }
  return pump(c);
}

/* Reads the head. 1 = complete, 0 = more bytes needed, -1 = refuse. */
static int read_header(struct conn *c) {
  char *end = memmem(c->in, c->in_length, "\r\n\r\n", 4);
  if (!end) return c->in_length > MAX_HEADER ? -1 : 0;
  c->header_length = end - c->in + 4;
  const char *encoding = header(c->in, c->header_length, "transfer-encoding:");
  const char *declared = header(c->in, c->header_length, "content-length:");
  const char *connection = header(c->in, c->header_length, "connection:");
  c->chunked = encoding != NULL;
  c->body_length = encoding || !declared ? 0 : strtoul(declared, NULL, 10);
  c->close_after = connection && !strncasecmp(connection + strspn(connection, " "), "close", 5);
  if (c->body_length > MAX_BODY) return -1;
  c->scanned = c->header_length;
  c->chunk_phase = CHUNK_SIZE;
  c->chunk_left = 0;
  c->trailer_line = 0;
  if (header(c->in, c->header_length, "expect:")) send(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
  c->phase = READ_BODY;
  return 1;
}

/* Decodes chunks in place: data moves up to right after what was decoded before. 1 = complete, 0 = more needed. */
static int read_chunks(struct conn *c) {
  char *to = c->in + c->header_length;
  while (c->scanned < c->in_length) {
    char *at = c->in + c->scanned, *newline;
    size_t left = c->in_length - c->scanned, part;
    switch (c->chunk_phase) {
      case CHUNK_SIZE:
        newline = memchr(at, '\n', left);
        if (!newline) return 0;
        c->chunk_left = strtoul(at, NULL, 16);
        c->scanned += newline - at + 1;
        c->chunk_phase = c->chunk_left ? CHUNK_DATA : CHUNK_TRAILER;
        break;
      case CHUNK_DATA:
        part = left < c->chunk_left ? left : c->chunk_left;
        memmove(to + c->body_length, at, part);
        c->body_length += part;
        c->scanned += part;
        c->chunk_left -= part;
        if (!c->chunk_left) c->chunk_phase = CHUNK_DATA_END;
        break;
      case CHUNK_DATA_END:
        c->scanned++;
        if (*at == '\n') c->chunk_phase = CHUNK_SIZE;
        break;
      case CHUNK_TRAILER:
        c->scanned++;
        if (*at == '\n') {
          if (c->trailer_line == 0) return 1;
          c->trailer_line = 0;
        } else if (*at != '\r') c->trailer_line++;
        break;
    }
  }
  return 0;
}

/* Takes every whole request out of `in`. -1 = close the connection. */
static int process(struct conn *c) {
  while (c->phase != ANSWER && c->in_length) {
    if (c->phase == READ_HEADER) {
      int complete = read_header(c);
      if (complete <= 0) return complete;
    }
    size_t used;
    if (c->chunked) {
      if (!read_chunks(c)) return 0;
      used = c->scanned;
    } else {
      used = c->header_length + c->body_length;
      if (c->in_length < used) return 0;
    }
    if (answer(c, c->in, c->in + c->header_length, c->body_length) < 0) return -1;
    memmove(c->in, c->in + used, c->in_length - used);
    c->in_length -= used;
  }
  return 0;
}

static int receive(struct conn *c) {
  for (;;) {
    size_t want = c->phase == READ_BODY && !c->chunked ? c->header_length + c->body_length : c->in_length + 16384;
    if (want < c->in_length + 4096) want = c->in_length + 4096;
    if (c->in_size < want) c->in = realloc(c->in, c->in_size = want);
    size_t room = c->in_size - c->in_length;
    ssize_t n = recv(c->fd, c->in + c->in_length, room, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return -1;
    if (n < 0) return 0;
    c->in_length += n;
    if (process(c) < 0) return -1;
    if ((size_t)n < room) return 0;
  }
}

/* ---- the loop ---- */

static void drop(struct conn *c) {
  if (c->phase == ANSWER) stats.aborted++;
  timer_remove(c);
  close(c->fd);
  free(c->in);
  free(c);
}

static void accept_all(int listener) {
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct conn *c = calloc(1, sizeof *c);
    c->fd = fd;
    c->heap_at = -1;
    struct epoll_event e = {EPOLLIN, {.ptr = c}};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e)) die("epoll_ctl");
  }
}

static int step(struct conn *c) {
  int more = pump(c);
  return more > 0 ? process(c) : more;
}

static void run_timers(void) {
  int64_t now = now_ns();
  while (heap_count && heap[0]->due_ns <= now) {
    struct conn *c = heap[0];
    timer_remove(c);
    if (c->wants_write) continue; /* the reader is slow: pump goes on when the socket has room */
    if (step(c) < 0) drop(c);
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  render_answers();

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);

  poller = epoll_create1(0);
  struct epoll_event e = {EPOLLIN, {.ptr = NULL}}, ready[256];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    struct timespec wait, *timeout = NULL;
    if (heap_count) {
      int64_t ns = heap[0]->due_ns - now_ns();
      if (ns < 0) ns = 0;
      wait = (struct timespec){ns / 1000000000, ns % 1000000000};
      timeout = &wait;
    }
    int n = epoll_pwait2(poller, ready, 256, timeout, NULL);
    for (int i = 0; i < n; i++) {
      struct conn *c = ready[i].data.ptr;
      if (!c) {
        accept_all(listener);
        continue;
      }
      int alive = 0;
      if (ready[i].events & EPOLLOUT) alive = step(c);
      if (alive >= 0 && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) alive = receive(c);
      if (alive < 0) drop(c);
    }
    run_timers();
  }
}
