/* agent/compact.h: making room in the window.
 *
 * For the run's thread. Old turns become a summary by the model, in a fixed shape, with pinned things beside it word for word;
 * where that fails, the oldest outputs are left out first, then turns. What was done is one `compact` event with a report of
 * what was lost, and the history is made from that event. Each success is smaller than what was there before; there is at most
 * one summary a request, so nothing here can loop, and nothing here ends a run. */
#ifndef BX_AGENT_COMPACT_H
#define BX_AGENT_COMPACT_H

#include "agent/internal.h"

/* In the provider's tokens; 0: not known. */
int64_t bx_run_window(const struct bx_run *run);
/* From how many tokens on a request is compacted (setting `compact_at`, percent; 0: never by itself); 0: window not known. */
int64_t bx_agent_compact_at(struct bx_agent *a, int64_t window);

/* Before a request: when it would pass the threshold, and has grown since the last time. */
void bx_compact_when_full(struct bx_run *run);
/* The provider said that the request is too long; attempt 0, 1 … False: nothing is left to leave out. */
bool bx_compact_after_error(struct bx_run *run, unsigned attempt);
/* On request; focus: what the summary should keep above all, or NULL. Returns the reason for run_end. */
const char *bx_compact_by_user(struct bx_run *run, const char *focus);
/* The same between two turns. BX_ERR_CANCELLED: the run was stopped, or its budget is used up; BX_ERR_INVALID: why not. */
int bx_compact_on_request(struct bx_run *run, const char *focus, struct bx_err *err);

/* The words of the summary (summary.c). The text, the caller's, in its fixed shape, or NULL with the reason in err. `end` is
 * the index behind the last message that it stands for. tokens: what it may be long. */
struct bx_summary_wish {
    size_t end;
    const char *focus;
    int64_t max_tokens, window;
};
char *bx_summary_ask(struct bx_run *run, const struct bx_summary_wish *wish, struct bx_usage *ret_usage, struct bx_err *err);
/* Files that the calls of these messages name, as guest paths; at most `max`, each the caller's. */
size_t bx_summary_files(const struct bx_history *h, size_t end, char **ret, size_t max);
/* Any text as the five parts; goal, files and open tasks are put in where they are missing. The caller's. */
char *bx_summary_shape(struct bx_str text, const char *goal, char *const *files, size_t file_count, struct bx_str todos);

#endif
