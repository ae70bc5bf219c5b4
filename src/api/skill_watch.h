/* api/skill_watch.h: tells the pages when a skill came, changed or went, {"op":"skills"}.
 *
 * Loop thread; scans run on a worker. Watched are the folders in which skills are looked for and those of the skills that
 * were found (BX_SKILL_WATCHES_MAX; more change unseen). Runs need none of this: they read the disk. */
#ifndef BX_API_SKILL_WATCH_H
#define BX_API_SKILL_WATCH_H

#include "api/api.h"

#define BX_SKILL_WATCHES_MAX 200

struct bx_skill_watch;

struct bx_skill_watch *bx_skill_watch_start(struct bx_api *api);
void bx_skill_watch_look(struct bx_skill_watch *w); /* something was changed by ourselves; any thread; NULL is fine */
void bx_skill_watch_stop(struct bx_skill_watch *w); /* after the workers have ended, before the loop is freed; NULL is fine */
void bx_skill_watch_free(struct bx_skill_watch *w); /* after the loop is freed */

#endif
