#include "base/clock.h"

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bx_mono_ns(void) {
    return now_ns(CLOCK_MONOTONIC);
}

uint64_t bx_mono_ms(void) {
    return bx_mono_ns() / 1000000;
}

uint64_t bx_mono_us(void) {
    return bx_mono_ns() / 1000;
}

int64_t bx_wall_ms(void) {
    return (int64_t)(now_ns(CLOCK_REALTIME) / 1000000);
}

#define DAY_MS     ((int64_t)86400000)
#define LOWEST_MS  ((int64_t)-62167219200000) /* 0000-01-01 */
#define HIGHEST_MS ((int64_t)253402300799999) /* 9999-12-31 */

/* Days since 1970-01-01 of a date of the Gregorian calendar; the year is counted from March, so
 * that the leap day is the last one of it. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void bx_time_format(int64_t wall_ms, char out[static 25]) {
    wall_ms = BX_MAX(LOWEST_MS, BX_MIN(HIGHEST_MS, wall_ms));
    int64_t ms = wall_ms % DAY_MS;
    if (ms < 0) {
        ms += DAY_MS;
    }
    time_t seconds = (time_t)((wall_ms - ms) / 1000 + ms / 1000);
    struct tm t;
    gmtime_r(&seconds, &t);
    /* The remainders change nothing; they show the compiler that the text fits. */
    snprintf(out, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(t.tm_year + 1900) % 10000,
             (unsigned)(t.tm_mon + 1) % 100, (unsigned)t.tm_mday % 100, (unsigned)t.tm_hour % 100,
             (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100, (unsigned)(ms % 1000));
}

/* Reads count digits at *at. */
static bool digits(struct bx_str s, size_t *at, size_t count, int64_t *ret) {
    uint64_t n;
    if (*at + count > s.n || !bx_str_to_u64(bx_str_slice(s, *at, count), &n)) {
        return false;
    }
    *at += count;
    *ret = (int64_t)n;
    return true;
}

static bool mark(struct bx_str s, size_t *at, char c) {
    return *at < s.n && s.p[(*at)++] == c;
}

static int64_t days_in_month(int64_t year, int64_t month) {
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool bx_time_parse(struct bx_str s, int64_t *ret_wall_ms) {
    size_t at = 0;
    int64_t year, month, day, hour, minute, second, ms = 0;
    if (!digits(s, &at, 4, &year) || !mark(s, &at, '-') || !digits(s, &at, 2, &month) ||
        !mark(s, &at, '-') || !digits(s, &at, 2, &day) || !mark(s, &at, 'T') ||
        !digits(s, &at, 2, &hour) || !mark(s, &at, ':') || !digits(s, &at, 2, &minute) ||
        !mark(s, &at, ':') || !digits(s, &at, 2, &second)) {
        return false;
    }
    if (at < s.n && s.p[at] == '.') {
        size_t first = ++at;
        int64_t unit = 100;
        while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9') {
            ms += (s.p[at++] - '0') * unit;
            unit /= 10;
        }
        if (at == first || at - first > 9) {
            return false;
        }
    }
    if (!mark(s, &at, 'Z') || at != s.n || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *ret_wall_ms =
        days_of_date(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    return true;
}

bool bx_time_parse_http(struct bx_str s, int64_t *ret_wall_ms) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    size_t at = bx_str_find(s, ',');
    int64_t year, day, hour, minute, second, month = 0;
    if (at != 3 || !mark(s, &at, ',') || !mark(s, &at, ' ') || !digits(s, &at, 2, &day) ||
        !mark(s, &at, ' ') || at + 3 > s.n) {
        return false;
    }
    while (month < 12 && memcmp(months + month * 3, s.p + at, 3) != 0) {
        month++;
    }
    at += 3;
    month++;
    if (!mark(s, &at, ' ') || !digits(s, &at, 4, &year) || !mark(s, &at, ' ') ||
        !digits(s, &at, 2, &hour) || !mark(s, &at, ':') || !digits(s, &at, 2, &minute) ||
        !mark(s, &at, ':') || !digits(s, &at, 2, &second) ||
        !bx_str_eqz(bx_str_slice(s, at, s.n), " GMT") || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *ret_wall_ms = days_of_date(year, month, day) * DAY_MS +
                   ((hour * 60 + minute) * 60 + BX_MIN(second, 59)) * 1000;
    return true;
}
