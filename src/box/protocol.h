/* box/protocol.h: what the server and a box worker say to each other.
 *
 * Pure: encoding into a buffer, decoding from bytes; sending is in box/channel.h. One message is one SOCK_SEQPACKET
 * packet of at most BX_FRAME_MAX bytes: type (1 byte), three zero bytes, call number (4), fields. Numbers are little
 * endian; texts and bytes carry their length (4) before them.
 * The worker is not trusted: every length is checked, a frame with too few or too many bytes is BX_ERR_PROTO. Decoded
 * views point into the frame.
 *
 * A control socket per worker:   server: CONFIG, SLOT (+ socket), STOP    worker: HELLO, FATAL
 * a slot socket per call at a time:
 *     server: CALL, BARS…, INPUT…                 worker: NEED? (then IMAGE + memfd), OUT…, ERR…, ASK, ASK_BODY…, DONE
 *     server, answering an ASK: HEAD, BODY…, END
 * A compiler is a worker without folders: server: COMPILE + two memfds     worker: COMPILED */
#ifndef BX_BOX_PROTOCOL_H
#define BX_BOX_PROTOCOL_H

#include "box/grant.h"

#define BX_FRAME_MAX    (64 * 1024)
#define BX_FRAME_HEADER 8
#define BX_FRAME_DATA   (BX_FRAME_MAX - 1024) /* payload of a frame that carries bytes beside a few fields */

enum bx_frame_type {
    BX_FRAME_CONFIG = 1,
    BX_FRAME_SLOT,
    BX_FRAME_STOP,
    BX_FRAME_HELLO,
    BX_FRAME_FATAL,
    BX_FRAME_CALL = 16,
    BX_FRAME_INPUT,
    BX_FRAME_NEED,
    BX_FRAME_IMAGE,
    BX_FRAME_OUT,
    BX_FRAME_ERR,
    BX_FRAME_DONE,
    BX_FRAME_BARS,
    BX_FRAME_ASK = 32,
    BX_FRAME_ASK_BODY,
    BX_FRAME_HEAD,
    BX_FRAME_BODY,
    BX_FRAME_END,
    BX_FRAME_COMPILE = 48,
    BX_FRAME_COMPILED,
};

struct bx_frame {
    enum bx_frame_type type;
    uint32_t call;
    struct bx_str body; /* view: everything behind the header */
};
int bx_frame_decode(const void *p, size_t n, struct bx_frame *ret, struct bx_err *err);
/* Starts a frame in out (emptied first); the caller adds the fields. out must have the maximum BX_FRAME_MAX. */
void bx_frame_begin(struct bx_buf *out, enum bx_frame_type type, uint32_t call);

/* Fields, in order. Reading past the end sets failed and gives zeros, so one check at the end is enough. */
struct bx_reader {
    struct bx_str left;
    bool failed;
};
struct bx_reader bx_reader(struct bx_str body);
uint8_t bx_read_u8(struct bx_reader *r);
uint32_t bx_read_u32(struct bx_reader *r);
uint64_t bx_read_u64(struct bx_reader *r);
struct bx_str bx_read_str(struct bx_reader *r);
struct bx_str bx_read_rest(struct bx_reader *r); /* everything that is left */
int bx_read_end(const struct bx_reader *r, struct bx_err *err); /* all was there and nothing is left over */
void bx_put_u8(struct bx_buf *b, uint8_t v);
void bx_put_u32(struct bx_buf *b, uint32_t v);
void bx_put_u64(struct bx_buf *b, uint64_t v);
void bx_put_str(struct bx_buf *b, struct bx_str s);

struct bx_config_frame { /* first message of a worker's life */
    struct bx_mount mounts[BX_MOUNTS_MAX]; /* texts allocated by decode */
    size_t mount_count;
    uint64_t written_max_bytes;
    uint32_t server_pid;
    bool probe;            /* say what bx_wall_probe found */
    struct bx_str unwire;  /* test builds */
};
void bx_config_encode(struct bx_buf *out, const struct bx_config_frame *c);
int bx_config_decode(struct bx_str body, struct bx_config_frame *ret, struct bx_err *err);
void bx_config_deinit(struct bx_config_frame *c);

struct bx_hello_frame {
    uint32_t wall_parts;
    uint32_t landlock_abi;
    uint32_t probed_parts;
    uint64_t compat; /* bxe_engine_compat: with which compiled files this machine's engine gets along */
    struct bx_str engine;
};
void bx_hello_encode(struct bx_buf *out, const struct bx_hello_frame *h);
int bx_hello_decode(struct bx_str body, struct bx_hello_frame *ret, struct bx_err *err);

#define BX_IMAGE_KEY 32
enum bx_call_flag {
    BX_CALL_LIVE = 1 << 0,    /* send output while the guest runs, not in bulk */
    BX_CALL_NETWORK = 1 << 1, /* somebody answers outbound requests */
};
struct bx_call_frame {
    struct bx_str embedded; /* name of an embedded image, or empty */
    unsigned char key[BX_IMAGE_KEY]; /* of an image that is sent when needed */
    bool fuel;              /* which form */
    uint32_t flags;
    uint64_t limits[BX_LIMIT_COUNT];
    uint64_t error_bytes;   /* of standard error that are kept */
    struct bx_str args;     /* each NUL ended */
    struct bx_str env;      /* each NUL ended */
    uint64_t bars_size;     /* of what BARS frames bring (bar.h), before the INPUT frames */
    uint64_t input_size;    /* all of it */
    struct bx_str input;    /* its first part; INPUT frames bring the rest */
};
void bx_call_encode(struct bx_buf *out, uint32_t call, const struct bx_call_frame *c);
int bx_call_decode(struct bx_str body, struct bx_call_frame *ret, struct bx_err *err);

struct bx_done_frame {
    uint8_t exit;   /* enum bxe_exit */
    uint8_t limit;  /* enum bxe_limit, or BX_DONE_… */
    uint8_t status; /* the guest's exit status */
    uint32_t left;  /* processes that it started and that ended because the call did */
    uint64_t fuel_used, memory_peak_bytes, cpu_us, wall_us;
    uint64_t out_bytes, err_bytes; /* written by the guest, kept or not */
    struct bx_str message;
    struct bx_str barred; /* bx_barred_encode */
    struct bx_str out, error; /* the last pieces */
};
#define BX_DONE_WRITTEN   100
#define BX_DONE_PROCESSES 101
void bx_done_encode(struct bx_buf *out, uint32_t call, const struct bx_done_frame *d);
int bx_done_decode(struct bx_str body, struct bx_done_frame *ret, struct bx_err *err);

struct bx_ask_frame { /* an outbound request; its body follows in ASK_BODY frames */
    uint64_t id;
    struct bx_str method, url;
    struct bx_str headers; /* name, value, name, value, …: each with its length, read with bx_read_str */
    uint64_t body_size;
};
void bx_ask_encode(struct bx_buf *out, uint32_t call, const struct bx_ask_frame *a);
int bx_ask_decode(struct bx_str body, struct bx_ask_frame *ret, struct bx_err *err);

#endif
