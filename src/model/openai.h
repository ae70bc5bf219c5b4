/* model/openai.h: the wire format of OpenAI's chat completions, which most servers speak more or less.
 *
 * Pure, one thread at a time: a request is written into a buffer, a response is read from bytes that may be cut anywhere
 * (server-sent events or one JSON document; the first byte tells). The reader forgives what servers are known to do: calls
 * without id or index, arguments before the name, several calls in one delta, one index for all calls, arguments as an object,
 * calls written as text, reasoning under several names, a missing [DONE]. It does not forgive a stream that stops before it
 * says that it is finished. */
#ifndef BX_MODEL_OPENAI_H
#define BX_MODEL_OPENAI_H

#include "model/model.h"

struct bx_openai_options {
    const char *model;
    const char *max_tokens_key; /* "max_tokens" or "max_completion_tokens" */
    int64_t max_tokens;         /* when the request names none; 0 = leave it to the server */
    bool stream;
    bool stream_usage; /* ask for usage at the end of the stream */
    bool images;       /* image blocks may be sent; else a line says that there was one */
    bool short_ids;    /* call ids must be nine letters or digits (Mistral) */
    bool greedy;       /* temperature 0 and a fixed seed */
    const char *schema; /* JSON text: the reply must be JSON of this schema; then no tools are sent */
};
/* BX_ERR_LIMIT when the buffer's maximum is too small. */
int bx_openai_write(const struct bx_openai_options *options, const struct bx_model_request *req, struct bx_buf *out,
                    struct bx_err *err);

struct bx_openai_reader;

/* on_event may be NULL. text_calls: <tool_call>{…}</tool_call> in the text is a call (set it when tools were offered). */
struct bx_openai_reader *bx_openai_reader_new(bool text_calls,
                                              void (*on_event)(void *user, const struct bx_model_event *ev), void *user);
void bx_openai_reader_free(struct bx_openai_reader *r);
BX_DEFINE_AUTO(struct bx_openai_reader, bx_openai_reader_free)
/* Errors: BX_ERR_PROTO (not this format), BX_ERR_LIMIT, or what an error object inside the stream says. */
int bx_openai_reader_feed(struct bx_openai_reader *r, struct bx_str bytes, struct bx_err *err);
/* The body is over. BX_ERR_RETRY: it stopped too early. Times in the usage are left 0. */
int bx_openai_reader_end(struct bx_openai_reader *r, struct bx_reply *ret, struct bx_err *err);

/* What an error body means (status 0: an error object in the middle of a stream): fills err and returns
 * BX_ERR_RETRY (408, 429, 5xx, overloaded), BX_ERR_AUTH, BX_ERR_LIMIT (context too long), BX_ERR_DENIED (the account's
 * quota is used up), BX_ERR_NOTFOUND (no such model), BX_ERR_INVALID or BX_ERR_PROTO. who: the provider's name. */
int bx_openai_error(int status, struct bx_str body, const char *who, struct bx_err *err);

#endif
