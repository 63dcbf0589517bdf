#define _GNU_SOURCE
#include "CSQLite.h"
#include "FileRead.h"
#include "JournalFit.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHECKSUM = 8, HEADER = 100 };

typedef struct {
    sqlite3_vfs vfs;
    // NULL: whichever is SQLite's default when a file is opened.
    const char *base;
} checksum_vfs;

// Pages that belong to nothing. SQLite writes them without keeping their old content in the journal, or never writes them
// at all, so after a loss of power anything may be there, and nobody reads it.
typedef struct {
    unsigned char *bits;
    long long pages;
} page_set;

typedef struct {
    sqlite3_file file;
    sqlite3_file *real;
    // Of a file whose pages have checksums; 0 for any other, and for one that is still empty. Once it is known it stays:
    // the header tells it before anybody can have proven the header.
    int page_size;
    unsigned char *page;
    // Damaged pages are read as they are.
    int skip_verification;
    // SQLite's lock on it.
    int level;
    // Where its journal would be, and by which VFS.
    const char *journal_name;
    sqlite3_vfs *base;
} checked_file;

static _Thread_local long long damaged_page;

long long csqlite_damaged_page(void) { return damaged_page; }

// The checksum

// Every step can be undone, so no two pages that differ within eight bytes have the same checksum; pages that differ in
// more have it with a probability of 2^-64.
static uint64_t mixed(uint64_t sum, uint64_t word) {
    sum ^= word;
    sum = sum << 29 | sum >> 35;
    return sum * UINT64_C(0x9E6C63D0676A9A99);
}

// What another program changes in the header when it only copies the file page by page, or asks for another journal mode,
// and what holds nothing: the versions of the format (they are looked at when the file is opened), the change counter and
// what belongs to it, and the schema cookie, which only says when definitions are to be read again.
// https://sqlite.org/fileformat2.html#the_database_header
static uint64_t counted(int offset, int counts_cookie) {
    switch (offset) {
    case 16: return ~UINT64_C(0x00000000FFFF0000);
    case 24: return ~UINT64_C(0x00000000FFFFFFFF);
    case 40: return counts_cookie ? ~UINT64_C(0) : ~UINT64_C(0x00000000FFFFFFFF);
    case 88: return ~UINT64_C(0xFFFFFFFF00000000);
    case 96: return ~UINT64_C(0x00000000FFFFFFFF);
    default: return ~UINT64_C(0);
    }
}

// The number is part of it: a page in the place of another is no sound page.
static uint64_t checksum(const unsigned char *page, int size, long long number, int counts_cookie) {
    uint64_t sum = mixed(UINT64_C(0x2545F4914F6CDD1D), (uint64_t)number);
    for (int offset = 0; offset < size - CHECKSUM; offset += 8) {
        uint64_t word;
        memcpy(&word, page + offset, 8);
        word = le64toh(word);
        sum = mixed(sum, number == 1 && offset < HEADER ? word & counted(offset, counts_cookie) : word);
    }
    return sum;
}

static void write_checksum(unsigned char *page, int size, long long number) {
    uint64_t sum = htole64(checksum(page, size, number, 0));
    memcpy(page + size - CHECKSUM, &sum, CHECKSUM);
}

static uint64_t stored_checksum(const unsigned char *page, int size) {
    uint64_t stored;
    memcpy(&stored, page + size - CHECKSUM, CHECKSUM);
    return le64toh(stored);
}

// Page 1 of a file that was last written by an earlier version of this program has the schema cookie in its checksum.
static int verify_checksum(const unsigned char *page, int size, long long number) {
    uint64_t stored = stored_checksum(page, size);
    return stored == checksum(page, size, number, 0) || (number == 1 && stored == checksum(page, size, number, 1));
}

static int page_size_of(const unsigned char *header) {
    if (memcmp(header, "SQLite format 3", 16) != 0 || header[20] != CHECKSUM) {
        return 0;
    }
    int size = header[16] << 8 | header[17];
    if (size == 1) {
        size = 65536;
    }
    return size >= 512 && (size & (size - 1)) == 0 ? size : 0;
}

// Free pages

static long long number_at(const unsigned char *bytes) {
    return (long long)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static int contains(const page_set *set, long long number) {
    return set->bits && number <= set->pages && set->bits[number / 8] >> number % 8 & 1;
}

static void insert(page_set *set, long long number) {
    if (number > 1 && number <= set->pages) {
        set->bits[number / 8] |= (unsigned char)(1 << number % 8);
    }
}

// https://sqlite.org/fileformat2.html#the_freelist: a chain of pages, each with the numbers of others. Those of the chain
// are written as any page; where one is damaged, the rest of the chain counts as not free. The page that SQLite locks is
// never used.
static int find_free_pages(page_set *set, sqlite3_file *file, int size, long long pages) {
    unsigned char *page = malloc((size_t)size);
    *set = (page_set){calloc((size_t)pages / 8 + 1, 1), pages};
    int code = page && set->bits ? read_file(file, page, size, 0) : SQLITE_NOMEM;
    if (code == SQLITE_OK) {
        insert(set, 0x40000000 / size + 1);
        long long next = number_at(page + 32);
        for (long long steps = 0; next > 1 && next <= pages && steps < pages; steps++) {
            code = read_file(file, page, size, (next - 1) * size);
            if (code != SQLITE_OK || !verify_checksum(page, size, next)) {
                break;
            }
            long long count = number_at(page + 4);
            for (long long index = 0; index < count && index < size / 4 - 2; index++) {
                insert(set, number_at(page + 8 + 4 * index));
            }
            next = number_at(page);
        }
        code = code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_DATA ? SQLITE_OK : code;
    }
    free(page);
    return code;
}

// A file

static int detect_page_size(checked_file *file, const unsigned char *header) {
    int size = page_size_of(header);
    if (file->page_size != 0 || size == 0) {
        return SQLITE_OK;
    }
    file->page = malloc((size_t)size);
    file->page_size = file->page ? size : 0;
    return file->page ? SQLITE_OK : SQLITE_IOERR_NOMEM;
}

// A header that tells another size than the one that is known, or that of no database, would switch checking off.
static int is_known(const checked_file *file, const unsigned char *header) {
    return file->page_size == 0 || page_size_of(header) == file->page_size;
}

static int checked(checked_file *file, const unsigned char *page, long long number) {
    if (file->skip_verification || verify_checksum(page, file->page_size, number)) {
        return SQLITE_OK;
    }
    damaged_page = number;
    return SQLITE_IOERR_DATA;
}

// The end of the file lies inside this page: it was cut off.
static int is_cut(checked_file *file, sqlite3_int64 start) {
    sqlite3_int64 size = 0;
    return file->real->pMethods->xFileSize(file->real, &size) == SQLITE_OK && size > start;
}

static int read_page(checked_file *file, unsigned char *page, long long number) {
    sqlite3_int64 start = (number - 1) * file->page_size;
    int code = read_file(file->real, page, file->page_size, start);
    if (code == SQLITE_IOERR_SHORT_READ && !file->skip_verification && is_cut(file, start)) {
        damaged_page = number;
        return SQLITE_IOERR_DATA;
    }
    return code == SQLITE_OK ? checked(file, page, number) : code;
}

static int checked_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    checked_file *file = (checked_file *)base;
    // SQLite looks at the header alone to detect_page_size how to read the rest, and whether anything has changed.
    if (offset + count <= HEADER || file->page_size == 0 || offset == 0) {
        int code = read_file(file->real, bytes, count, offset);
        if (code != SQLITE_OK || offset != 0 || count < HEADER) {
            return code;
        }
        code = detect_page_size(file, bytes);
        if (code != SQLITE_OK || file->page_size == 0) {
            return code;
        }
        if (!file->skip_verification && !is_known(file, bytes)) {
            damaged_page = 1;
            return SQLITE_IOERR_DATA;
        }
        return count < file->page_size ? SQLITE_OK : checked(file, bytes, 1);
    }
    long long number = offset / file->page_size + 1;
    sqlite3_int64 inside = offset % file->page_size;
    if (inside == 0 && count == file->page_size) {
        return read_page(file, bytes, number);
    }
    if (inside + count > file->page_size) {
        return SQLITE_IOERR_READ;
    }
    int code = read_page(file, file->page, number);
    if (code == SQLITE_OK) {
        memcpy(bytes, file->page + inside, (size_t)count);
    } else if (code == SQLITE_IOERR_SHORT_READ) {
        memset(bytes, 0, (size_t)count);
    }
    return code;
}

static int checked_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    checked_file *file = (checked_file *)base;
    if (offset == 0 && count >= HEADER) {
        int code = detect_page_size(file, bytes);
        if (code != SQLITE_OK) {
            return code;
        }
        // Pages of two sizes, or some with a checksum and some without, could never be told from damage.
        if (!is_known(file, bytes)) {
            return SQLITE_IOERR_WRITE;
        }
    }
    if (file->page_size == 0) {
        return write_file(file->real, bytes, count, offset);
    }
    if (count != file->page_size || offset % count != 0) {
        return SQLITE_IOERR_WRITE;
    }
    memcpy(file->page, bytes, (size_t)count);
    write_checksum(file->page, count, offset / count + 1);
    return write_file(file->real, file->page, count, offset);
}

static int checked_close(sqlite3_file *base) {
    checked_file *file = (checked_file *)base;
    free(file->page);
    file->page = NULL;
    return file->real->pMethods->xClose(file->real);
}

#define REAL(base) ((checked_file *)(base))->real
#define CALL(base, method, ...) REAL(base)->pMethods->method(REAL(base)__VA_OPT__(, ) __VA_ARGS__)

static int checked_truncate(sqlite3_file *file, sqlite3_int64 size) { return CALL(file, xTruncate, size); }
static int checked_sync(sqlite3_file *file, int flags) { return CALL(file, xSync, flags); }
static int checked_size(sqlite3_file *file, sqlite3_int64 *size) { return CALL(file, xFileSize, size); }

// Where the first page does not have its checksum it was being written when the power went: nothing is known, and the journal has it.
static int vet_journal(checked_file *file) {
    if (file->page_size == 0) {
        return SQLITE_OK;
    }
    int code = read_file(file->real, file->page, file->page_size, 0);
    if (code != SQLITE_OK || !verify_checksum(file->page, file->page_size, 1)) {
        return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
    }
    return journal_fits(file->base, file->journal_name, (unsigned)number_at(file->page + 24));
}

static int checked_lock(sqlite3_file *base, int level) {
    checked_file *file = (checked_file *)base;
    int code = CALL(base, xLock, level);
    if (code != SQLITE_OK) {
        return code;
    }
    // Who writes reserves the file first. Only a journal that somebody has left there is rolled back without that.
    int is_recovery = file->level == SQLITE_LOCK_SHARED && level == SQLITE_LOCK_EXCLUSIVE;
    if (is_recovery) {
        code = vet_journal(file);
        if (code != SQLITE_OK) {
            CALL(base, xUnlock, SQLITE_LOCK_SHARED);
            return code;
        }
    }
    if (level > file->level) {
        file->level = level;
    }
    return SQLITE_OK;
}

static int checked_unlock(sqlite3_file *base, int level) {
    checked_file *file = (checked_file *)base;
    if (level < file->level) {
        file->level = level;
    }
    return CALL(base, xUnlock, level);
}

static int checked_reserved(sqlite3_file *file, int *is) { return CALL(file, xCheckReservedLock, is); }
static int checked_control(sqlite3_file *file, int code, void *argument) {
    return CALL(file, xFileControl, code, argument);
}
static int checked_sector(sqlite3_file *file) { return CALL(file, xSectorSize); }
static int checked_traits(sqlite3_file *file) { return CALL(file, xDeviceCharacteristics); }

// Version 1: no shared memory, so no write-ahead log; no mapped memory, which would be read without a check.
static const sqlite3_io_methods checked_methods = {
    .iVersion = 1,
    .xClose = checked_close,
    .xRead = checked_read,
    .xWrite = checked_write,
    .xTruncate = checked_truncate,
    .xSync = checked_sync,
    .xFileSize = checked_size,
    .xLock = checked_lock,
    .xUnlock = checked_unlock,
    .xCheckReservedLock = checked_reserved,
    .xFileControl = checked_control,
    .xSectorSize = checked_sector,
    .xDeviceCharacteristics = checked_traits,
};

// The VFS

static sqlite3_vfs *base_of(sqlite3_vfs *vfs) { return sqlite3_vfs_find(((checksum_vfs *)vfs)->base); }

static int checked_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out) {
    sqlite3_vfs *base = base_of(vfs);
    file->pMethods = NULL;
    if (!base || base->szOsFile > vfs->szOsFile - (int)sizeof(checked_file)) {
        return SQLITE_CANTOPEN;
    }
    // A journal has no pages of ours, and its errors are read in the same way (FileRead.h).
    if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL))) {
        return base->xOpen(base, name, file, flags, out);
    }
    if (flags & SQLITE_OPEN_MAIN_JOURNAL && !journal_is_file(name)) {
        return SQLITE_CANTOPEN;
    }
    checked_file *own = (checked_file *)file;
    memset(own, 0, sizeof *own);
    own->real = (sqlite3_file *)(own + 1);
    own->base = base;
    own->journal_name = flags & SQLITE_OPEN_MAIN_DB ? sqlite3_filename_journal(name) : NULL;
    int code = base->xOpen(base, name, own->real, flags, out);
    if (code != SQLITE_OK) {
        if (own->real->pMethods) {
            own->real->pMethods->xClose(own->real);
        }
        return code;
    }
    file->pMethods = &checked_methods;
    return SQLITE_OK;
}

#define FORWARD(method, ...) \
    sqlite3_vfs *base = base_of(vfs); \
    return base->method(base __VA_OPT__(, ) __VA_ARGS__)

static int checked_delete(sqlite3_vfs *vfs, const char *name, int sync) { FORWARD(xDelete, name, sync); }
static int checked_access(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
    FORWARD(xAccess, name, flags, out);
}
static int checked_path(sqlite3_vfs *vfs, const char *name, int size, char *out) {
    FORWARD(xFullPathname, name, size, out);
}
static int checked_random(sqlite3_vfs *vfs, int size, char *out) { FORWARD(xRandomness, size, out); }
static int checked_sleep(sqlite3_vfs *vfs, int time) { FORWARD(xSleep, time); }
static int checked_error(sqlite3_vfs *vfs, int size, char *out) { FORWARD(xGetLastError, size, out); }
static int checked_time(sqlite3_vfs *vfs, double *out) { FORWARD(xCurrentTime, out); }
static int checked_time_64(sqlite3_vfs *vfs, sqlite3_int64 *out) { FORWARD(xCurrentTimeInt64, out); }

static sqlite3_vfs *make(const char *base, const char *name) {
    sqlite3_vfs *real = sqlite3_vfs_find(base);
    checksum_vfs *own = real ? calloc(1, sizeof *own) : NULL;
    if (!own) {
        return NULL;
    }
    own->base = base ? strdup(base) : NULL;
    own->vfs = (sqlite3_vfs){
        .iVersion = 2,
        // For those that may become the default as well.
        .szOsFile = (int)sizeof(checked_file) + real->szOsFile,
        .mxPathname = real->mxPathname,
        .zName = strdup(name),
        .xOpen = checked_open,
        .xDelete = checked_delete,
        .xAccess = checked_access,
        .xFullPathname = checked_path,
        .xRandomness = checked_random,
        .xSleep = checked_sleep,
        .xGetLastError = checked_error,
        .xCurrentTime = checked_time,
        .xCurrentTimeInt64 = checked_time_64,
    };
    if ((base && !own->base) || !own->vfs.zName || sqlite3_vfs_register(&own->vfs, 0) != SQLITE_OK) {
        return NULL;
    }
    return &own->vfs;
}

const char *csqlite_checksum_vfs(const char *base) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    char name[64];
    snprintf(name, sizeof name, "checksum%s%s", base ? "-" : "", base ? base : "");
    pthread_mutex_lock(&mutex);
    sqlite3_vfs *found = sqlite3_vfs_find(name);
    if (!found) {
        found = make(base, name);
    }
    pthread_mutex_unlock(&mutex);
    return found ? found->zName : NULL;
}

// For a connection

static checked_file *file_of(sqlite3 *database) {
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return code == SQLITE_OK && file && file->pMethods == &checked_methods ? (checked_file *)file : NULL;
}

int csqlite_reserve_checksums(sqlite3 *database) {
    int bytes = CHECKSUM;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

void csqlite_read_damaged_pages(sqlite3 *database) {
    checked_file *file = file_of(database);
    if (file) {
        file->skip_verification = 1;
    }
}

// The size of a page, 0 without checksums, and of the file. A damaged header does not tell another size than is known.
static int measure(sqlite3_file *file, int *size, sqlite3_int64 *length) {
    unsigned char header[HEADER] = {0};
    int code = read_file(file, header, sizeof header, 0);
    if (code == SQLITE_IOERR_SHORT_READ) {
        code = SQLITE_OK;
    }
    *size = file->pMethods == &checked_methods ? ((checked_file *)file)->page_size : 0;
    if (*size == 0) {
        *size = page_size_of(header);
    }
    return code == SQLITE_OK ? file->pMethods->xFileSize(file, length) : code;
}

int csqlite_check_pages(sqlite3 *database, long long *damaged, int limit, int *count) {
    *count = 0;
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) {
        return code;
    }
    int size = 0;
    sqlite3_int64 length = 0;
    code = measure(file, &size, &length);
    if (code != SQLITE_OK || size == 0) {
        return code == SQLITE_OK ? SQLITE_IOERR_DATA : code;
    }
    page_set unused;
    code = find_free_pages(&unused, file, size, length / size);
    unsigned char *page = code == SQLITE_OK ? malloc((size_t)size) : NULL;
    for (long long number = 1; page && (number - 1) * size < length && *count < limit; number++) {
        code = read_file(file, page, size, (number - 1) * size);
        int is_bad = code == SQLITE_OK ? !verify_checksum(page, size, number) : code == SQLITE_IOERR_SHORT_READ;
        if (code != SQLITE_OK && !is_bad) {
            break;
        }
        code = SQLITE_OK;
        if (is_bad && !contains(&unused, number)) {
            damaged[(*count)++] = number;
        }
    }
    if (code == SQLITE_OK && !page) {
        code = SQLITE_NOMEM;
    }
    free(page);
    free(unused.bits);
    return code;
}

int csqlite_has_no_checksums(sqlite3 *database, int *answer) {
    *answer = 0;
    checked_file *file = file_of(database);
    if (!file) {
        return SQLITE_OK;
    }
    int size = 0;
    sqlite3_int64 length = 0;
    int code = measure(&file->file, &size, &length);
    if (code != SQLITE_OK || size == 0 || length < size) {
        return code;
    }
    unsigned char *page = malloc((size_t)size);
    if (!page) {
        return SQLITE_NOMEM;
    }
    int has_none = 1;
    for (sqlite3_int64 start = 0; code == SQLITE_OK && has_none && start + size <= length; start += size) {
        code = read_file(file->real, page, size, start);
        has_none = stored_checksum(page, size) == 0;
    }
    free(page);
    *answer = code == SQLITE_OK && has_none;
    return code;
}

// A copy

// What is kept in memory until it is written.
enum { KEPT = 4 << 20 };

struct csqlite_page_copy {
    sqlite3_file *file;
    int target;
    enum csqlite_copy_kind kind;
    int size;
    sqlite3_int64 length;
    // Of each page: the checksum that it had in the file when it was copied, 0 when that does not tell what it was.
    uint64_t *sums;
    // Pages that did not have their checksums.
    page_set unsound;
    long long room;
    // Numbers of pages, each with the page behind it.
    unsigned char *kept;
    size_t kept_count;
    size_t kept_room;
};

csqlite_page_copy *csqlite_page_copy_begin(sqlite3 *database, int target, enum csqlite_copy_kind kind) {
    csqlite_page_copy *copy = calloc(1, sizeof *copy);
    checked_file *file = file_of(database);
    if (copy && file) {
        copy->file = &file->file;
        copy->target = target;
        copy->kind = kind;
    }
    return copy;
}

void csqlite_page_copy_end(csqlite_page_copy *copy) {
    if (copy) {
        free(copy->sums);
        free(copy->unsound.bits);
        free(copy->kept);
        free(copy);
    }
}

static int make_room(csqlite_page_copy *copy, long long pages) {
    if (pages <= copy->room) {
        return SQLITE_OK;
    }
    uint64_t *sums = realloc(copy->sums, (size_t)(pages + 1) * sizeof *sums);
    if (!sums) {
        return SQLITE_NOMEM;
    }
    copy->sums = sums;
    unsigned char *bits = realloc(copy->unsound.bits, (size_t)pages / 8 + 1);
    if (!bits) {
        return SQLITE_NOMEM;
    }
    memset(sums + copy->room + 1, 0, (size_t)(pages - copy->room) * sizeof *sums);
    size_t known = copy->unsound.bits ? (size_t)copy->room / 8 + 1 : 0;
    memset(bits + known, 0, (size_t)pages / 8 + 1 - known);
    copy->unsound.bits = bits;
    copy->unsound.pages = copy->room = pages;
    return SQLITE_OK;
}

static int write_at(int target, const unsigned char *bytes, size_t count, off_t offset) {
    while (count > 0) {
        ssize_t written = pwrite(target, bytes, count, offset);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            bytes += written;
            offset += written;
            count -= (size_t)written;
        }
    }
    return 0;
}

int csqlite_page_copy_write(csqlite_page_copy *copy) {
    if (copy->target < 0) {
        copy->kept_count = 0;
        return 0;
    }
    size_t step = sizeof(long long) + (size_t)copy->size;
    int error = 0;
    for (size_t position = 0; position < copy->kept_count && error == 0; position += step) {
        long long number;
        memcpy(&number, copy->kept + position, sizeof number);
        const unsigned char *page = copy->kept + position + sizeof number;
        error = write_at(copy->target, page, (size_t)copy->size, (off_t)(number - 1) * copy->size);
    }
    copy->kept_count = 0;
    // Of a file whose end lies inside a page as well, where damage is kept.
    off_t length = copy->kind == CSQLITE_COPY_AS_IT_IS ? copy->length
        : (off_t)((copy->length + copy->size - 1) / copy->size * copy->size);
    return error == 0 && ftruncate(copy->target, length) != 0 ? errno : error;
}

static int keep(csqlite_page_copy *copy, long long number, int *system_error) {
    size_t step = sizeof number + (size_t)copy->size;
    if (copy->kept_count + step > KEPT) {
        *system_error = csqlite_page_copy_write(copy);
    }
    if (copy->kept_count + step > copy->kept_room) {
        size_t room = copy->kept_room == 0 ? 64 * step : 2 * copy->kept_room;
        unsigned char *kept = realloc(copy->kept, room);
        if (!kept) {
            return SQLITE_NOMEM;
        }
        copy->kept = kept;
        copy->kept_room = room;
    }
    memcpy(copy->kept + copy->kept_count, &number, sizeof number);
    copy->kept_count += step;
    return SQLITE_OK;
}

static int copy_page(csqlite_page_copy *copy, long long number, int *system_error) {
    sqlite3_file *real = ((checked_file *)copy->file)->real;
    sqlite3_int64 start = (number - 1) * copy->size;
    unsigned char stored[CHECKSUM];
    // Page 1 has more in it than its checksum counts.
    if (number > 1 && copy->sums[number] != 0) {
        int code = read_file(real, stored, CHECKSUM, start + copy->size - CHECKSUM);
        uint64_t sum;
        memcpy(&sum, stored, CHECKSUM);
        if (code == SQLITE_OK && sum == copy->sums[number]) {
            return SQLITE_OK;
        }
    }
    int code = keep(copy, number, system_error);
    if (code != SQLITE_OK || *system_error != 0) {
        return code;
    }
    unsigned char *page = copy->kept + copy->kept_count - copy->size;
    code = read_file(real, page, copy->size, start);
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
        return code;
    }
    int sound = code == SQLITE_OK && verify_checksum(page, copy->size, number);
    unsigned char bit = (unsigned char)(1 << number % 8);
    if (sound) {
        memcpy(&copy->sums[number], page + copy->size - CHECKSUM, CHECKSUM);
        copy->unsound.bits[number / 8] &= (unsigned char)~bit;
    } else {
        copy->sums[number] = 0;
        copy->unsound.bits[number / 8] |= bit;
        // What is missing of a page that was cut off is zero.
        if (copy->kind != CSQLITE_COPY_AS_IT_IS) {
            write_checksum(page, copy->size, number);
        }
    }
    return SQLITE_OK;
}

int csqlite_page_copy_pass(csqlite_page_copy *copy, int *system_error) {
    *system_error = 0;
    int code = copy->file ? measure(copy->file, &copy->size, &copy->length) : SQLITE_MISUSE;
    if (code != SQLITE_OK || copy->size == 0) {
        return code == SQLITE_OK ? SQLITE_IOERR_DATA : code;
    }
    long long pages = (copy->length + copy->size - 1) / copy->size;
    code = make_room(copy, pages);
    // What was cut off the target is copied again should the file grow: it may be the same page.
    for (long long number = pages + 1; code == SQLITE_OK && number <= copy->room; number++) {
        copy->sums[number] = 0;
    }
    for (long long number = 1; code == SQLITE_OK && *system_error == 0 && number <= pages; number++) {
        code = copy_page(copy, number, system_error);
    }
    return code;
}

int csqlite_page_copy_damage(csqlite_page_copy *copy) {
    if (copy->kind != CSQLITE_COPY_SOUND || ((checked_file *)copy->file)->skip_verification) {
        return SQLITE_OK;
    }
    long long pages = (copy->length + copy->size - 1) / copy->size;
    page_set unused = {0};
    int code = SQLITE_OK;
    for (long long number = 1; code == SQLITE_OK && number <= pages; number++) {
        if (!contains(&copy->unsound, number)) {
            continue;
        }
        if (!unused.bits) {
            code = find_free_pages(&unused, ((checked_file *)copy->file)->real, copy->size, pages);
        }
        if (code == SQLITE_OK && !contains(&unused, number)) {
            damaged_page = number;
            code = SQLITE_IOERR_DATA;
        }
    }
    free(unused.bits);
    return code;
}
