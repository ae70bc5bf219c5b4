/* tests/peers/scripted.h: a model server that says what a script says, over the real OpenAI wire.
 *
 * One thread serves (poll). It remembers what it was asked, so a test can look at what the model was sent. A turn of the
 * script is chosen by counting the assistant messages of the request, so each conversation walks through the script by
 * itself, and a retry gets the same turn again. The script, as JSON:
 *
 *     [turn, turn …]                                           or
 *     {"turns":[…], "when":[{"contains":"text", "turns":[…]}], "by":"request", "window":32768, "tools":true}
 *       when: another script for requests whose body contains the text;  by: count requests, not assistant messages;
 *       window, tools: what GET /props says;  "paths": {"/path": what is answered there, null = 404};  "die":true: the process exits with 9 at the first question
 *
 *     turn: {"text":"…"} {"reasoning":"…"} {"calls":[{"tool":"read","input":{…}}]} (or "arguments":"raw text"), together too
 *           {"finish":"length"} {"usage":{…}}
 *           {"status":429, "retry_after":1 or "a date", "error":"…"}   an error answer
 *           {"cut_after":n}     the connection dies after n bytes of the body
 *           {"stall_ms":n}      a pause after the first event ("stall_after": n bytes of the body)
 *           {"delay_ms":n}      a pause before anything
 *           {"after_requests":n}  nothing before n questions were asked in all: who must be at work at the same time, is
 *           {"raw":"…"}         this body as it is;  {"chunk_bytes":n} sent n bytes at a time
 *           {"forever":true}    the text again and again
 *           {"tries":[turn, turn …]}   the first time, the second time …; the last one stays
 *     After its last turn a script says "(end of script)".
 *
 * Also: GET /_requests (all so far: path, authorization, body, and on the monotonic clock at_us, the first byte of the
 * request, and replied_at_us, the last of the reply), POST /_reset, GET /v1/models, /health, /props. */
#ifndef TESTS_PEERS_SCRIPTED_H
#define TESTS_PEERS_SCRIPTED_H

#include "json/json.h"

struct scripted;

/* unix_path NULL: 127.0.0.1 at the port, 0 = any. */
int scripted_new(const char *script_json, const char *unix_path, uint16_t port, struct scripted **ret, struct bx_err *err);
uint16_t scripted_port(const struct scripted *s);
void scripted_serve(struct scripted *s); /* until scripted_stop */
void scripted_stop(struct scripted *s);  /* any thread */
void scripted_free(struct scripted *s);
/* What was asked so far, as the text of GET /_requests; any thread. The caller's. */
char *scripted_requests(struct scripted *s);
size_t scripted_connections(struct scripted *s); /* accepted so far */

#endif
