/* base/log.h: one line a fact on stderr, `time level room: text`.
 *
 * Any thread. Only the edge (api, cli, main, a worker's main) logs; rooms below return errors. Never log a secret, a
 * message of the user's or the content of a file. Level from BOXAGNTS_LOG (error warn info debug), default info. */
#ifndef BX_BASE_LOG_H
#define BX_BASE_LOG_H

#include "base/base.h"

enum bx_log_level { BX_LOG_ERROR, BX_LOG_WARN, BX_LOG_INFO, BX_LOG_DEBUG };

void bx_log(enum bx_log_level level, const char *room, const char *fmt, ...) BX_PRINTF(3, 4);
void bx_log_set_level(enum bx_log_level level);
void bx_log_init(void); /* reads BOXAGNTS_LOG */

#define bx_error(room, ...) bx_log(BX_LOG_ERROR, room, __VA_ARGS__)
#define bx_warn(room, ...)  bx_log(BX_LOG_WARN, room, __VA_ARGS__)
#define bx_info(room, ...)  bx_log(BX_LOG_INFO, room, __VA_ARGS__)
#define bx_debug(room, ...) bx_log(BX_LOG_DEBUG, room, __VA_ARGS__)

#endif
