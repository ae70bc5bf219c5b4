/* base/banned.h: calls that are wrong too often to be allowed at all (the idea is git's). Included last by base.h. */
#ifndef BX_BASE_BANNED_H
#define BX_BASE_BANNED_H

#define BX_BANNED(func) bx_banned_##func##_see_base_banned_h

#undef strcpy
#define strcpy(d, s) BX_BANNED(strcpy) /* struct bx_buf */
#undef strcat
#define strcat(d, s) BX_BANNED(strcat)
#undef strncpy
#define strncpy(d, s, n) BX_BANNED(strncpy)
#undef strncat
#define strncat(d, s, n) BX_BANNED(strncat)
#undef sprintf
#define sprintf(...) BX_BANNED(sprintf) /* bx_buf_addf */
#undef vsprintf
#define vsprintf(...) BX_BANNED(vsprintf)
#undef strtok
#define strtok(s, d) BX_BANNED(strtok) /* bx_str_split */
#undef atoi
#define atoi(s) BX_BANNED(atoi) /* bx_str_to_i64 */
#undef atol
#define atol(s) BX_BANNED(atol)
#undef gmtime
#define gmtime(t) BX_BANNED(gmtime) /* bx_time_format */
#undef localtime
#define localtime(t) BX_BANNED(localtime)
#undef ctime
#define ctime(t) BX_BANNED(ctime)

#endif
