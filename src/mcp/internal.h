/* mcp/internal.h: what the files of this room share. Nobody else includes it. */
#ifndef BX_MCP_INTERNAL_H
#define BX_MCP_INTERNAL_H

#include "base/map.h"
#include "base/thread.h"
#include "base/unwire.h"
#include "base/vec.h"
#include "mcp/client.h"
#include "mcp/definition.h"
#include "mcp/mcp.h"
#include "mcp/oauth.h"
#include "tools/registry.h"

#define BX_MCP_START_MS  60000 /* a server that has to be fetched first may take its time */
#define BX_MCP_LIST_MS   20000

struct bx_mcp_entry { /* one tool of one server */
    char *name;    /* there */
    char tool[65]; /* here; see bx_mcp_name_entries */
    struct bx_mcp_definition approved, now; /* doc NULL: never approved, not listed any more */
};
enum bx_mcp_entry_state { BX_MCP_OK, BX_MCP_CHANGED, BX_MCP_UNAPPROVED, BX_MCP_GONE };
enum bx_mcp_entry_state bx_mcp_entry_state(const struct bx_mcp_entry *e);

struct bx_mcp_server { /* ref-counted: its tools hold it, also when the list has moved on */
    struct bx_mcp *mcp;
    struct bx_mcp_server_config config;
    char *broken; /* why its entry cannot be used, or NULL */
    int refs;     /* atomic */
    pthread_t lister;
    pthread_mutex_t lock; /* of what follows; leaf */
    pthread_cond_t changed;
    bool approved, listed, stale, starting, gone, lister_runs, lister_joinable;
    struct bx_mcp_client *client;
    unsigned failures;
    uint64_t next_try_ms;
    char last_error[480];
    struct bx_buf tail;
    char *challenge; /* of the last 401 */
    char version[16], about[128];
    bool resources, prompts;
    BX_VEC(struct bx_mcp_entry) entries;
};

struct bx_mcp {
    struct bx_mcp_config config;
    char *root, *state_dir;
    struct bx_fetch *fetch;
    struct bx_cancel *closing;
    pthread_mutex_t lock; /* of the list; taken before a server's */
    BX_VEC(struct bx_mcp_server *) servers;
    pthread_mutex_t state_lock; /* one writer of mcp.json; held over the disk */
    struct bx_mcp_logins *logins;
};

/* ---- the servers (server.c) ---- */
struct bx_mcp_server *bx_mcp_server_new(struct bx_mcp *m, struct bx_mcp_server_config *take_config, const char *broken);
struct bx_mcp_server *bx_mcp_server_ref(struct bx_mcp_server *s);
void bx_mcp_server_unref(struct bx_mcp_server *s);
BX_DEFINE_AUTO(struct bx_mcp_server, bx_mcp_server_unref)
/* A connection, started when there is none, its tools listed. */
int bx_mcp_server_client(struct bx_mcp_server *s, uint64_t deadline_ms, struct bx_cancel *cancel,
                         struct bx_mcp_client **ret, struct bx_err *err);
void bx_mcp_server_worked(struct bx_mcp_server *s); /* a call came back: it may fail anew */
/* Lists its tools on a thread of its own, unless that is being done. */
void bx_mcp_server_list_soon(struct bx_mcp_server *s);
void bx_mcp_server_stop(struct bx_mcp_server *s, bool gone);
/* May it be used? Fails with the sentence that says what to do. */
int bx_mcp_server_usable(struct bx_mcp_server *s, struct bx_err *err);

/* ---- its tools (tools.c) ---- */
/* Gives each entry its name here; two that would get the same one both get digits. Lock held. */
void bx_mcp_name_entries(struct bx_mcp_server *s);
/* Brings what may be used into the registry. */
void bx_mcp_server_publish(struct bx_mcp_server *s);
void bx_mcp_publish_own(struct bx_mcp *m); /* ListMcpResources and ReadMcpResource, when a server has some */

/* ---- mcp.json (state.c) ---- */
void bx_mcp_state_read(struct bx_mcp *m, struct bx_mcp_server *const *servers, size_t count);
void bx_mcp_state_write(struct bx_mcp *m); /* what cannot be kept is asked again next time */

/* A new reference, or NULL and BX_ERR_NOTFOUND with the names that there are. */
struct bx_mcp_server *bx_mcp_find(struct bx_mcp *m, const char *name, struct bx_err *err);
/* All that there are now, new references in a new array. */
struct bx_mcp_server **bx_mcp_all(struct bx_mcp *m, size_t *ret_count);

#endif
