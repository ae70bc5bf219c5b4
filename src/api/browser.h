/* api/browser.h: showing the page in the user's browser (--open). Main thread. */
#ifndef BX_API_BROWSER_H
#define BX_API_BROWSER_H

#include "store/store.h"

/* Through a private file in the state folder and not as an argument: every user of the machine can read arguments, and the
 * address holds a token. Without a desktop it says so in the log; nothing else depends on it. */
void bx_browser_open(struct bx_store *store, const char *url);

#endif
