/* api/page.h: the page, as the build embeds it (generated from ui/dist). Constant, any thread. */
#ifndef BX_API_PAGE_H
#define BX_API_PAGE_H

#include "http/static.h"

extern const struct bx_page_file bx_page_files[];
extern const size_t bx_page_file_count;

#endif
