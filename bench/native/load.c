/*
 * load: sends one request over and over and measures the answers, on one thread, so that it is not what is slow.
 *
 *   load --port N --body FILE [--path P] [--header "name: value"]... [--connections N] [--expect-bytes N] [--expect-sum HEX]
 *        --closed SECONDS                     every connection sends its next request when the last is answered
 *        --open SECONDS --rate R              Poisson arrivals, R a second on average, the same sequence every time;
 *                                             latency counts from the moment a request was due, sent or not
 *        --hold SECONDS --stagger SECONDS     one long paced stream a connection, opened evenly over the stagger time
 *        [--warm-up SECONDS]                  before the window that is measured (open and hold)
 *
 * Prints {"mark":"start"} and {"mark":"end"} around the measured window and then one line of results. Every request that
 * was begun is waited for. Histograms are pairs of [nanoseconds, count], exact to 0.8 %. A stamped delta of upstream.c
 * ("t=" and 19 digits) is counted as an event, and its age as the event's transit time. The sum leaves out the digits after
 * "created":, which is when an answer of OpenAI's formats was made.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
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

enum { HEAD_SIZE = 16384, STAMP_DIGITS = 19, SUM_EVERY = 16, SUB_BUCKETS = 128, BUCKETS = SUB_BUCKETS * 32 };
enum conn_state { CLOSED, IDLE, AWAIT_HEAD, AWAIT_BODY };
enum framing { BY_LENGTH, BY_CHUNKS, BY_CLOSE };
enum chunk_phase { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER };
enum load_mode { LOAD_CLOSED, LOAD_OPEN, LOAD_HOLD };
static const double DRAIN_SECONDS = 20;
static const char UNSUMMED[] = "\"created\":";
enum { UNSUMMED_LENGTH = sizeof UNSUMMED - 1 };

struct histogram {
  uint64_t buckets[BUCKETS]; /* of 100 ns units: 128 exact, then 128 an octave */
};

struct conn {
  int fd;
  enum conn_state state;
  int wants_write, used_before, resent, close_after;
  size_t sent;
  int64_t due_ns;
  char head[HEAD_SIZE];
  size_t head_length;
  int status;
  enum framing framing;
  uint64_t left;           /* of the body, or of the chunk */
  enum chunk_phase chunk_phase;
  int trailer_line;
  char size_digits[20];
  int size_length;
  uint64_t body_bytes, sum;
  int summed;
  int unsummed_at;         /* how much of UNSUMMED has matched; all of it while its digits go by */
  int first_byte, first_event;
  int stamp_at;            /* how much of a stamp has matched: 0, 1 ("t"), 2 ("t="), then digits */
  int64_t stamp;
};

static struct {
  int port, connections;
  enum load_mode mode;
  double seconds, warm_up, rate, stagger;
  int64_t expect_bytes;
  uint64_t expect_sum;
  int check_sum;
} plan = {.connections = 32, .expect_bytes = -1};

static struct {
  uint64_t requests, events, non200, wrong_bytes, wrong_sum, errors, resent, late;
  char first_failure[600];
} result;

static struct histogram latency, first_byte, first_event, transit;
static struct conn *conns;
static int *idle, idle_count;
static int poller, measuring, stopping, open_requests;
static char *request;
static size_t request_length;
static struct sockaddr_in target = {.sin_family = AF_INET};
static int64_t start_ns, window_from_ns, window_to_ns, last_done_ns;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* ---- histograms ---- */

static void record(struct histogram *h, int64_t ns) {
  uint64_t units = ns < 0 ? 0 : ns / 100;
  int octave = units < SUB_BUCKETS ? 0 : 64 - __builtin_clzll(units) - 7; /* 7 = log2(SUB_BUCKETS) */
  uint64_t at = octave ? (uint64_t)octave * SUB_BUCKETS + ((units >> (octave - 1)) - SUB_BUCKETS) : units;
  h->buckets[at < BUCKETS ? at : BUCKETS - 1]++;
}

static double bucket_ns(int at) {
  int octave = at / SUB_BUCKETS, sub = at % SUB_BUCKETS;
  double low = octave ? ldexp(SUB_BUCKETS + sub, octave - 1) : sub;
  double width = octave ? ldexp(1, octave - 1) : 1;
  return (low + width / 2) * 100;
}

static void print_histogram(const char *name, const struct histogram *h) {
  const char *separator = "";
  printf(",\"%s\":[", name);
  for (int i = 0; i < BUCKETS; i++)
    if (h->buckets[i]) {
      printf("%s[%.0f,%llu]", separator, bucket_ns(i), (unsigned long long)h->buckets[i]);
      separator = ",";
    }
  printf("]");
}

/* ---- failures ---- */

static void note_failure(const char *kind, const struct conn *c, const char *bytes, size_t length) {
  if (*result.first_failure) return;
  int n = snprintf(result.first_failure, 120, "%s (status %d, %llu body bytes): ", kind, c->status, (unsigned long long)c->body_bytes);
  for (size_t i = 0; i < length && n < (int)sizeof result.first_failure - 2; i++) {
    char ch = bytes[i];
    result.first_failure[n++] = ch == '"' || ch == '\\' ? '\'' : ch < 32 || ch > 126 ? ' ' : ch;
  }
}

/* ---- connections ---- */

static void connect_to_target(struct conn *c) {
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&target, sizeof target)) die("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event e = {EPOLLIN, {.ptr = c}};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e)) die("epoll_ctl");
  c->state = IDLE;
  c->wants_write = c->used_before = 0;
}

static void disconnect(struct conn *c) {
  close(c->fd);
  c->state = CLOSED;
}

static void send_request(struct conn *c) {
  int full = 0;
  while (c->sent < request_length && !full) {
    ssize_t n = send(c->fd, request + c->sent, request_length - c->sent, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) return; /* the reader will see why */
      full = 1;
    } else c->sent += n;
  }
  if (full != c->wants_write) {
    c->wants_write = full;
    struct epoll_event e = {EPOLLIN | (full ? EPOLLOUT : 0), {.ptr = c}};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
  }
}

static void begin(struct conn *c, int64_t due_ns) {
  if (c->state == CLOSED) connect_to_target(c);
  c->state = AWAIT_HEAD;
  c->due_ns = due_ns;
  c->sent = c->head_length = c->body_bytes = 0;
  c->first_byte = c->first_event = c->stamp_at = c->trailer_line = c->size_length = c->unsummed_at = 0;
  c->chunk_phase = CHUNK_SIZE;
  c->summed = plan.check_sum && (result.requests + open_requests) % SUM_EVERY == 0;
  c->sum = 0xcbf29ce484222325u;
  open_requests++;
  send_request(c);
}

/* ---- what arrives ---- */

static int in_window(const struct conn *c) {
  return plan.mode == LOAD_HOLD ? measuring : c->due_ns >= window_from_ns && c->due_ns < window_to_ns;
}

static void scan_stamps(struct conn *c, const char *bytes, size_t length, int64_t now) {
  for (size_t i = 0; i < length; i++) {
    char ch = bytes[i];
    if (c->stamp_at >= 2 && ch >= '0' && ch <= '9') {
      c->stamp = c->stamp * 10 + (ch - '0');
      if (++c->stamp_at < 2 + STAMP_DIGITS) continue;
      c->stamp_at = 0;
      if (!c->first_event && in_window(c)) record(&first_event, now - c->due_ns);
      c->first_event = 1;
      if (measuring) {
        result.events++;
        record(&transit, now - c->stamp);
      }
    } else if (c->stamp_at == 1 && ch == '=') {
      c->stamp_at = 2;
      c->stamp = 0;
    } else c->stamp_at = ch == 't';
  }
}

static void add_to_sum(struct conn *c, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    char ch = bytes[i];
    if (c->unsummed_at == UNSUMMED_LENGTH && ch >= '0' && ch <= '9') continue;
    c->unsummed_at = c->unsummed_at < UNSUMMED_LENGTH && ch == UNSUMMED[c->unsummed_at] ? c->unsummed_at + 1 : ch == UNSUMMED[0];
    c->sum = (c->sum ^ (unsigned char)ch) * 0x100000001b3u;
  }
}

static void take_body(struct conn *c, const char *bytes, size_t length, int64_t now) {
  if (!c->first_byte && in_window(c)) record(&first_byte, now - c->due_ns);
  c->first_byte = 1;
  c->body_bytes += length;
  if (c->status != 200) note_failure("not 200", c, bytes, length);
  if (c->summed) add_to_sum(c, bytes, length);
  scan_stamps(c, bytes, length, now);
}

/* 1 = the answer is complete. */
static int read_chunks(struct conn *c, const char *at, const char *end, int64_t now) {
  while (at < end) {
    size_t part;
    switch (c->chunk_phase) {
      case CHUNK_SIZE:
        if (*at == '\n') {
          c->size_digits[c->size_length] = 0;
          c->left = strtoull(c->size_digits, NULL, 16);
          c->size_length = 0;
          c->chunk_phase = c->left ? CHUNK_DATA : CHUNK_TRAILER;
        } else if (c->size_length < (int)sizeof c->size_digits - 1) c->size_digits[c->size_length++] = *at;
        at++;
        break;
      case CHUNK_DATA:
        part = (size_t)(end - at) < c->left ? (size_t)(end - at) : c->left;
        take_body(c, at, part, now);
        at += part;
        c->left -= part;
        if (!c->left) c->chunk_phase = CHUNK_DATA_END;
        break;
      case CHUNK_DATA_END:
        if (*at++ == '\n') c->chunk_phase = CHUNK_SIZE;
        break;
      case CHUNK_TRAILER:
        if (*at == '\n') {
          if (!c->trailer_line) return 1;
          c->trailer_line = 0;
        } else if (*at != '\r') c->trailer_line++;
        at++;
        break;
    }
  }
  return 0;
}

static const char *header(const char *head, const char *name) {
  size_t n = strlen(name);
  for (const char *line = strchr(head, '\n'); line; line = strchr(line + 1, '\n'))
    if (!strncasecmp(line + 1, name, n)) return line + 1 + n + strspn(line + 1 + n, " ");
  return NULL;
}

/* Reads the head; returns how many bytes of `bytes` belonged to it, or -1 while it is incomplete. */
static ssize_t read_head(struct conn *c, const char *bytes, size_t length) {
  size_t before = c->head_length, room = HEAD_SIZE - 1 - before, part = length < room ? length : room;
  memcpy(c->head + before, bytes, part);
  c->head_length += part;
  char *end = memmem(c->head, c->head_length, "\r\n\r\n", 4);
  if (!end) {
    if (part == room) {
      fprintf(stderr, "load: an answer's head is longer than %d bytes\n", HEAD_SIZE);
      exit(1);
    }
    return -1;
  }
  end[2] = 0;
  c->status = atoi(c->head + 9);
  const char *length_header = header(c->head, "content-length:"), *encoding = header(c->head, "transfer-encoding:"),
             *connection = header(c->head, "connection:");
  c->close_after = connection && !strncasecmp(connection, "close", 5);
  c->framing = encoding ? BY_CHUNKS : length_header ? BY_LENGTH : BY_CLOSE;
  c->left = length_header ? strtoull(length_header, NULL, 10) : 0;
  c->state = AWAIT_BODY;
  return end + 4 - c->head - (ssize_t)before;
}

static void complete(struct conn *c, int64_t now) {
  result.requests++;
  open_requests--;
  last_done_ns = now;
  if (c->status != 200) {
    result.non200++;
    note_failure("not 200", c, "", 0);
  } else if (plan.expect_bytes >= 0 && c->body_bytes != (uint64_t)plan.expect_bytes) {
    result.wrong_bytes++;
    note_failure("wrong length", c, c->head, c->head_length);
  } else if (c->summed && c->sum != plan.expect_sum) {
    result.wrong_sum++;
    note_failure("wrong bytes", c, c->head, c->head_length);
  }
  if (in_window(c)) record(&latency, now - c->due_ns);
  c->used_before = 1;
  c->resent = 0;
  if (c->close_after || c->framing == BY_CLOSE) disconnect(c);
  else c->state = IDLE;
}

/* The peer closed, or broke. 1 = the request has ended (well or not), 0 = it was sent again or there was none. */
static int lost(struct conn *c, int64_t now) {
  if (c->state == AWAIT_BODY && c->framing == BY_CLOSE) {
    complete(c, now);
    return 1;
  }
  int had_request = c->state != IDLE, untouched = c->state == AWAIT_HEAD && c->head_length == 0;
  int again = untouched && c->used_before && !c->resent;
  disconnect(c);
  if (!had_request) return 0;
  open_requests--;
  if (again) { /* an idle connection that the server was closing just then: any client sends again */
    result.resent++;
    begin(c, c->due_ns);
    c->resent = 1;
    return 0;
  }
  result.errors++;
  note_failure("connection lost", c, c->head, c->head_length);
  return 1;
}

/* 1 = the connection's request has ended. */
static int receive(struct conn *c) {
  static char buffer[262144];
  for (;;) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    int64_t now = now_ns();
    if (n <= 0 || c->state == IDLE) return lost(c, now);
    const char *at = buffer, *end = buffer + n;
    if (c->state == AWAIT_HEAD) {
      ssize_t used = read_head(c, at, n);
      if (used < 0) continue;
      at += used;
    }
    int done = 0;
    if (c->framing == BY_CHUNKS) done = read_chunks(c, at, end, now);
    else {
      if (at < end) take_body(c, at, end - at, now);
      if (c->framing == BY_LENGTH) {
        c->left -= (uint64_t)(end - at) < c->left ? (uint64_t)(end - at) : c->left;
        done = c->left == 0;
      }
    }
    if (done) {
      complete(c, now);
      return 1;
    }
    if ((size_t)n < sizeof buffer) return 0;
  }
}

/* ---- when to send ---- */

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static double random_unit(void) { /* xorshift64*, in (0, 1] */
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return ((random_state * 0x2545f4914f6cdd1du >> 11) + 1) * 0x1p-53;
}

static int64_t next_due_ns, counted_late_ns;
static int opened;

static int64_t next_arrival(void) {
  if (plan.mode == LOAD_OPEN) return next_due_ns + (int64_t)(-log(random_unit()) * 1e9 / plan.rate);
  return start_ns + (int64_t)(plan.stagger * 1e9 * opened / plan.connections);
}

/* Begins everything that is due; what finds no free connection stays due and is counted as late. */
static void begin_due(int64_t now) {
  if (plan.mode == LOAD_CLOSED) return;
  while (next_due_ns <= now && next_due_ns < window_to_ns) {
    if (plan.mode == LOAD_HOLD && opened == plan.connections) return;
    if (!idle_count) {
      if (counted_late_ns != next_due_ns) result.late++;
      counted_late_ns = next_due_ns;
      return;
    }
    opened++;
    begin(&conns[idle[--idle_count]], next_due_ns);
    next_due_ns = next_arrival();
  }
}

static void after_end(struct conn *c) {
  if (plan.mode == LOAD_CLOSED && !stopping) begin(c, now_ns());
  else idle[idle_count++] = c - conns;
}

static void mark(const char *which) {
  printf("{\"mark\":\"%s\"}\n", which);
  fflush(stdout);
}

static int64_t wait_until(int64_t now) {
  int64_t until = !measuring && !stopping ? window_from_ns : !stopping ? window_to_ns : now + 100000000;
  int more = plan.mode == LOAD_OPEN || (plan.mode == LOAD_HOLD && opened < plan.connections);
  if (more && !stopping && idle_count && next_due_ns < until) until = next_due_ns;
  return until;
}

static void run(void) {
  struct epoll_event ready[512];
  start_ns = next_due_ns = now_ns();
  window_from_ns = start_ns + (int64_t)((plan.warm_up + plan.stagger) * 1e9);
  window_to_ns = window_from_ns + (int64_t)(plan.seconds * 1e9);
  int64_t give_up_ns = window_to_ns + (int64_t)(DRAIN_SECONDS * 1e9);
  if (plan.mode == LOAD_CLOSED)
    for (int i = 0; i < plan.connections; i++) begin(&conns[i], now_ns());
  else
    for (int i = plan.connections; i-- > 0;) idle[idle_count++] = i;
  for (;;) {
    int64_t now = now_ns();
    if (!measuring && !stopping && now >= window_from_ns) {
      measuring = 1;
      mark("start");
    }
    if (measuring && now >= window_to_ns) {
      begin_due(now); /* what was due before the end, though this comes late to it */
      measuring = 0;
      stopping = 1;
      mark("end");
    }
    if (stopping && (!open_requests || now > give_up_ns)) return;
    if (!stopping) begin_due(now);
    int64_t ns = wait_until(now_ns()) - now_ns();
    if (ns < 0) ns = 0;
    struct timespec timeout = {ns / 1000000000, ns % 1000000000};
    int n = epoll_pwait2(poller, ready, 512, &timeout, NULL);
    for (int i = 0; i < n; i++) {
      struct conn *c = ready[i].data.ptr;
      if (ready[i].events & EPOLLOUT) send_request(c);
      if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && receive(c)) after_end(c);
    }
  }
}

/* ---- the command line ---- */

static char *read_file(const char *path, size_t *length) {
  FILE *f = fopen(path, "rb");
  if (!f) die(path);
  fseek(f, 0, SEEK_END);
  *length = ftell(f);
  rewind(f);
  char *bytes = malloc(*length + 1);
  if (fread(bytes, 1, *length, f) != *length) die(path);
  fclose(f);
  return bytes;
}

static void read_command_line(int argc, char **argv) {
  static const struct option options[] = {
    {"port", 1, 0, 'p'}, {"body", 1, 0, 'b'}, {"path", 1, 0, 'u'}, {"header", 1, 0, 'H'}, {"connections", 1, 0, 'c'},
    {"expect-bytes", 1, 0, 'n'}, {"expect-sum", 1, 0, 's'}, {"closed", 1, 0, 'C'}, {"open", 1, 0, 'O'}, {"hold", 1, 0, 'L'},
    {"rate", 1, 0, 'r'}, {"stagger", 1, 0, 'g'}, {"warm-up", 1, 0, 'w'}, {0, 0, 0, 0}};
  const char *path = "/v1/messages", *body_file = NULL;
  char headers[8192] = "";
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) switch (option) {
      case 'p': plan.port = atoi(optarg); break;
      case 'b': body_file = optarg; break;
      case 'u': path = optarg; break;
      case 'H':
        if (strlen(headers) + strlen(optarg) + 3 > sizeof headers) exit(2);
        strcat(strcat(headers, optarg), "\r\n");
        break;
      case 'c': plan.connections = atoi(optarg); break;
      case 'n': plan.expect_bytes = atoll(optarg); break;
      case 's': plan.expect_sum = strtoull(optarg, NULL, 16); plan.check_sum = 1; break;
      case 'C': plan.mode = LOAD_CLOSED; plan.seconds = atof(optarg); break;
      case 'O': plan.mode = LOAD_OPEN; plan.seconds = atof(optarg); break;
      case 'L': plan.mode = LOAD_HOLD; plan.seconds = atof(optarg); break;
      case 'r': plan.rate = atof(optarg); break;
      case 'g': plan.stagger = atof(optarg); break;
      case 'w': plan.warm_up = atof(optarg); break;
      default: exit(2);
    }
  if (!plan.port || !body_file || plan.seconds <= 0 || plan.connections < 1 || (plan.mode == LOAD_OPEN && plan.rate <= 0)) {
    fprintf(stderr, "load: --port, --body and one of --closed, --open with --rate, --hold are needed; see the head of load.c\n");
    exit(2);
  }
  if (plan.mode == LOAD_CLOSED) plan.warm_up = plan.stagger = 0;
  size_t body_length;
  char *body = read_file(body_file, &body_length);
  request = malloc(body_length + sizeof headers + 512);
  int head = sprintf(request, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    "anthropic-version: 2023-06-01\r\nUser-Agent: weir-bench/1\r\n%sContent-Length: %zu\r\n\r\n", path, plan.port, headers, body_length);
  memcpy(request + head, body, body_length);
  request_length = head + body_length;
  free(body);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  read_command_line(argc, argv);
  target.sin_port = htons(plan.port);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  poller = epoll_create1(0);
  conns = calloc(plan.connections, sizeof *conns);
  idle = calloc(plan.connections, sizeof *idle);
  run();

  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"requests\":%llu,\"seconds\":%.6f,\"windowSeconds\":%.6f,\"events\":%llu,\"non200\":%llu,\"wrongBytes\":%llu,\"wrongSum\":%llu,"
    "\"errors\":%llu,\"unfinished\":%d,\"resent\":%llu,\"late\":%llu,\"cpuSeconds\":%.6f,\"firstFailure\":\"%s\"",
    (unsigned long long)result.requests, (last_done_ns - start_ns) / 1e9, plan.seconds, (unsigned long long)result.events,
    (unsigned long long)result.non200, (unsigned long long)result.wrong_bytes, (unsigned long long)result.wrong_sum,
    (unsigned long long)result.errors, open_requests, (unsigned long long)result.resent, (unsigned long long)result.late, cpu, result.first_failure);
  print_histogram("latency", &latency);
  print_histogram("firstByte", &first_byte);
  print_histogram("firstEvent", &first_event);
  print_histogram("transit", &transit);
  printf("}\n");
  return 0;
}
