#define _GNU_SOURCE
#include "FaultVFS.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512

// MARK: - What a disk keeps

// A write or a truncation that was not synced.
typedef struct change {
    struct change *next;
    sqlite3_int64 offset;
    int length; // -1: truncated to `offset`
    unsigned char bytes[];
} change;

// A file, whatever its names.
typedef struct node {
    struct node *next;
    unsigned char *bytes; // at the last sync
    sqlite3_int64 size;
    change *first, **last;
} node;

// A name in the directory.
typedef struct entry {
    struct entry *next;
    node *file; // NULL: removed
    char name[];
} entry;

struct fault_disk {
    struct fault_disk *next;
    pthread_mutex_t mutex;
    pthread_cond_t released;
    char *directory;
    node *nodes;
    entry *entries;            // at the last sync
    entry *changes, **changed; // of the directory since then, in order

    int call, effect, forever, is_armed;
    long n, count, hits, hanging, open_files;
    unsigned long long seed;
    int is_dead, is_lying;
};

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static fault_disk *registry;

static unsigned long long next_random(unsigned long long *state) {
    unsigned long long z = (*state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

static int chance(unsigned long long *state, int percent) { return (int)(next_random(state) % 100) < percent; }

static node *add_node(fault_disk *disk) {
    node *file = calloc(1, sizeof *file);
    file->last = &file->first;
    file->next = disk->nodes;
    disk->nodes = file;
    return file;
}

static void log_change(node *file, sqlite3_int64 offset, const void *bytes, int length) {
    change *one = malloc(sizeof *one + (size_t)(length > 0 ? length : 0));
    one->next = NULL;
    one->offset = offset;
    one->length = length;
    if (length > 0) {
        memcpy(one->bytes, bytes, (size_t)length);
    }
    *file->last = one;
    file->last = &one->next;
}

static void forget_changes(node *file) {
    for (change *one = file->first, *next; one != NULL; one = next) {
        next = one->next;
        free(one);
    }
    file->first = NULL;
    file->last = &file->first;
}

static void resize(unsigned char **bytes, sqlite3_int64 *size, sqlite3_int64 wanted) {
    *bytes = realloc(*bytes, (size_t)(wanted > 0 ? wanted : 1));
    if (wanted > *size) {
        memset(*bytes + *size, 0, (size_t)(wanted - *size));
    }
    *size = wanted;
}

static int until_next_sector(sqlite3_int64 offset, sqlite3_int64 end) {
    sqlite3_int64 next = offset - offset % SECTOR + SECTOR;
    return (int)((next < end ? next : end) - offset);
}

static void apply(const change *one, unsigned char **bytes, sqlite3_int64 *size, int survival, unsigned long long *state) {
    if (one->length < 0) {
        if (chance(state, survival)) {
            resize(bytes, size, one->offset);
        }
        return;
    }
    sqlite3_int64 end = one->offset + one->length;
    for (sqlite3_int64 at = one->offset; at < end;) {
        int length = until_next_sector(at, end);
        if (chance(state, survival)) {
            if (at + length > *size) {
                resize(bytes, size, at + length);
            }
            memcpy(*bytes + at, one->bytes + (at - one->offset), (size_t)length);
        }
        at += length;
    }
}

static entry *find_entry(entry *list, const char *name) {
    for (; list != NULL; list = list->next) {
        if (strcmp(list->name, name) == 0) {
            return list;
        }
    }
    return NULL;
}

static entry *make_entry(const char *name, node *file) {
    entry *one = malloc(sizeof *one + strlen(name) + 1);
    one->next = NULL;
    one->file = file;
    strcpy(one->name, name);
    return one;
}

static void set_entry(entry **list, const char *name, node *file) {
    entry *one = find_entry(*list, name);
    if (one != NULL) {
        one->file = file;
        return;
    }
    one = make_entry(name, file);
    one->next = *list;
    *list = one;
}

static void free_entries(entry *list) {
    for (entry *next; list != NULL; list = next) {
        next = list->next;
        free(list);
    }
}

static void change_entry(fault_disk *disk, const char *name, node *file) {
    entry *one = make_entry(name, file);
    *disk->changed = one;
    disk->changed = &one->next;
}

// What a name stands for now, synced or not.
static node *current_node(fault_disk *disk, const char *name) {
    node *found = NULL;
    entry *synced = find_entry(disk->entries, name);
    if (synced != NULL) {
        found = synced->file;
    }
    for (entry *one = disk->changes; one != NULL; one = one->next) {
        if (strcmp(one->name, name) == 0) {
            found = one->file;
        }
    }
    return found;
}

static void sync_directory(fault_disk *disk) {
    if (disk->is_lying) {
        return;
    }
    for (entry *one = disk->changes; one != NULL; one = one->next) {
        set_entry(&disk->entries, one->name, one->file);
    }
    free_entries(disk->changes);
    disk->changes = NULL;
    disk->changed = &disk->changes;
}

static void sync_node(node *file) {
    unsigned long long state = 0;
    for (change *one = file->first; one != NULL; one = one->next) {
        apply(one, &file->bytes, &file->size, 100, &state);
    }
    forget_changes(file);
}

static char *join(const char *directory, const char *name) {
    char *path = NULL;
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static int write_file(const char *directory, const char *name, const unsigned char *bytes, sqlite3_int64 size) {
    char *path = join(directory, name);
    FILE *file = path == NULL ? NULL : fopen(path, "wbe");
    int error = file == NULL ? errno : 0;
    if (file != NULL) {
        if (size > 0 && fwrite(bytes, 1, (size_t)size, file) != (size_t)size) {
            error = EIO;
        }
        if (fclose(file) != 0 && error == 0) {
            error = errno;
        }
    }
    free(path);
    return error;
}

int fault_disk_after_power_cut(fault_disk *disk, const char *directory, int survival, unsigned long long seed) {
    unsigned long long state = seed;
    int error = 0;
    pthread_mutex_lock(&disk->mutex);
    entry *entries = NULL;
    for (entry *one = disk->entries; one != NULL; one = one->next) {
        set_entry(&entries, one->name, one->file);
    }
    for (entry *one = disk->changes; one != NULL; one = one->next) {
        if (chance(&state, survival)) {
            set_entry(&entries, one->name, one->file);
        }
    }
    for (entry *one = entries; one != NULL && error == 0; one = one->next) {
        if (one->file == NULL) {
            continue;
        }
        unsigned char *bytes = NULL;
        sqlite3_int64 size = 0;
        resize(&bytes, &size, one->file->size);
        if (size > 0) {
            memcpy(bytes, one->file->bytes, (size_t)size);
        }
        for (change *write = one->file->first; write != NULL; write = write->next) {
            apply(write, &bytes, &size, survival, &state);
        }
        error = write_file(directory, one->name, bytes, size);
        free(bytes);
    }
    free_entries(entries);
    pthread_mutex_unlock(&disk->mutex);
    return error;
}

// MARK: - The calls

typedef struct fault_file {
    sqlite3_file base;
    fault_disk *disk;
    node *file;
    // The first sync of a new journal syncs the directory as well, as SQLite's own VFS does.
    int syncs_directory;
} fault_file;

static sqlite3_vfs *real;

static sqlite3_file *real_file(sqlite3_file *file) { return (sqlite3_file *)((fault_file *)file + 1); }

enum { PASS = -1 };

// What is to happen to a call: PASS, or an effect. Waits while it hangs. Returns with the disk locked.
static int decide(fault_disk *disk, int call, int grows) {
    pthread_mutex_lock(&disk->mutex);
    if (disk->is_dead) {
        return FAULT_FAIL;
    }
    if (!disk->is_armed || (disk->call != FAULT_ANY && disk->call != call) || (disk->effect == FAULT_FULL && !grows)) {
        return PASS;
    }
    disk->count += 1;
    if (disk->forever ? disk->count < disk->n : disk->count != disk->n) {
        return PASS;
    }
    disk->hits += 1;
    switch (disk->effect) {
    case FAULT_POWER:
        disk->is_dead = 1;
        break;
    case FAULT_LIE:
        disk->is_lying = 1;
        break;
    case FAULT_HANG:
        disk->hanging += 1;
        while (disk->is_armed) {
            pthread_cond_wait(&disk->released, &disk->mutex);
        }
        disk->hanging -= 1;
        return disk->is_dead ? FAULT_FAIL : PASS;
    default:
        break;
    }
    return disk->effect;
}

// For calls that change nothing, and for those that either happen or do not.
static int refuses(int effect) { return effect != PASS && effect != FAULT_FAIL_DONE && effect != FAULT_LIE; }

static int check(fault_disk *disk, int call) {
    int effect = decide(disk, call, 0);
    pthread_mutex_unlock(&disk->mutex);
    return effect;
}

static int fault_close(sqlite3_file *base) {
    fault_file *file = (fault_file *)base;
    pthread_mutex_lock(&file->disk->mutex);
    file->disk->open_files -= 1;
    pthread_mutex_unlock(&file->disk->mutex);
    return real_file(base)->pMethods->xClose(real_file(base));
}

static int fault_read(sqlite3_file *base, void *bytes, int length, sqlite3_int64 offset) {
    int effect = check(((fault_file *)base)->disk, FAULT_READ);
    // As SQLite's own way to files answers EIO.
    if (refuses(effect)) {
        return SQLITE_IOERR_CORRUPTFS;
    }
    int code = real_file(base)->pMethods->xRead(real_file(base), bytes, length, offset);
    return effect == FAULT_FAIL_DONE ? SQLITE_IOERR_CORRUPTFS : code;
}

static int write_through(fault_file *file, const void *bytes, int length, sqlite3_int64 offset) {
    sqlite3_file *below = real_file(&file->base);
    int code = below->pMethods->xWrite(below, bytes, length, offset);
    if (code == SQLITE_OK) {
        log_change(file->file, offset, bytes, length);
    }
    return code;
}

// Some of the sectors of a write.
static int write_torn(fault_file *file, const unsigned char *bytes, int length, sqlite3_int64 offset, int effect) {
    unsigned long long state = file->disk->seed + (unsigned long long)file->disk->hits;
    int sectors = 0;
    for (int at = 0; at < length; at += until_next_sector(offset + at, offset + length)) {
        sectors += 1;
    }
    int prefix = (int)(next_random(&state) % (unsigned long long)sectors);
    for (int at = 0, sector = 0; at < length; sector += 1) {
        int part = until_next_sector(offset + at, offset + length);
        int gets_through = effect == FAULT_TEAR_SUBSET ? chance(&state, 50) : sector < prefix;
        if (gets_through) {
            int code = write_through(file, bytes + at, part, offset + at);
            if (code != SQLITE_OK) {
                return code;
            }
        }
        at += part;
    }
    return SQLITE_OK;
}

static int fault_write(sqlite3_file *base, const void *bytes, int length, sqlite3_int64 offset) {
    fault_file *file = (fault_file *)base;
    sqlite3_int64 size = 0;
    int grows = real_file(base)->pMethods->xFileSize(real_file(base), &size) == SQLITE_OK && offset + length > size;
    int effect = decide(file->disk, FAULT_WRITE, grows);
    int code = SQLITE_OK;
    switch (effect) {
    case PASS:
        code = write_through(file, bytes, length, offset);
        break;
    case FAULT_FAIL_DONE:
        code = write_through(file, bytes, length, offset);
        code = code == SQLITE_OK ? SQLITE_IOERR_WRITE : code;
        break;
    case FAULT_TEAR_PREFIX:
    case FAULT_TEAR_SUBSET:
        code = write_torn(file, bytes, length, offset, effect);
        code = code == SQLITE_OK ? SQLITE_IOERR_WRITE : code;
        break;
    case FAULT_FULL:
        code = write_torn(file, bytes, length, offset, FAULT_TEAR_PREFIX);
        code = code == SQLITE_OK ? SQLITE_FULL : code;
        break;
    case FAULT_POWER:
        // On its way to the disk: a part of it may be there.
        log_change(file->file, offset, bytes, length);
        code = SQLITE_IOERR_WRITE;
        break;
    default:
        code = SQLITE_IOERR_WRITE;
        break;
    }
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

static int fault_truncate(sqlite3_file *base, sqlite3_int64 size) {
    fault_file *file = (fault_file *)base;
    int effect = decide(file->disk, FAULT_TRUNCATE, 0);
    int code = SQLITE_IOERR_TRUNCATE;
    if (effect == FAULT_POWER) {
        log_change(file->file, size, NULL, -1);
    } else if (!refuses(effect)) {
        code = real_file(base)->pMethods->xTruncate(real_file(base), size);
        if (code == SQLITE_OK) {
            log_change(file->file, size, NULL, -1);
            code = effect == FAULT_FAIL_DONE ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
        }
    }
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

// The real disk is not troubled with it: what would survive is kept here.
static int fault_sync(sqlite3_file *base, int flags) {
    fault_file *file = (fault_file *)base;
    (void)flags;
    int effect = decide(file->disk, FAULT_SYNC, 0);
    int code = refuses(effect) || effect == FAULT_FAIL_DONE ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    if (effect == FAULT_FAIL_LOST) {
        forget_changes(file->file);
    } else if (!refuses(effect) && !file->disk->is_lying) {
        sync_node(file->file);
        if (file->syncs_directory) {
            sync_directory(file->disk);
            file->syncs_directory = 0;
        }
    }
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

static int fault_file_size(sqlite3_file *base, sqlite3_int64 *size) {
    return refuses(check(((fault_file *)base)->disk, FAULT_FILE_SIZE))
               ? SQLITE_IOERR_FSTAT
               : real_file(base)->pMethods->xFileSize(real_file(base), size);
}

static int fault_lock(sqlite3_file *base, int level) {
    return refuses(check(((fault_file *)base)->disk, FAULT_LOCK))
               ? SQLITE_IOERR_LOCK
               : real_file(base)->pMethods->xLock(real_file(base), level);
}

static int fault_unlock(sqlite3_file *base, int level) {
    int effect = check(((fault_file *)base)->disk, FAULT_UNLOCK);
    if (refuses(effect)) {
        return SQLITE_IOERR_UNLOCK;
    }
    int code = real_file(base)->pMethods->xUnlock(real_file(base), level);
    return effect == FAULT_FAIL_DONE ? SQLITE_IOERR_UNLOCK : code;
}

static int fault_check_lock(sqlite3_file *base, int *result) {
    return refuses(check(((fault_file *)base)->disk, FAULT_CHECK_LOCK))
               ? SQLITE_IOERR_CHECKRESERVEDLOCK
               : real_file(base)->pMethods->xCheckReservedLock(real_file(base), result);
}

static int fault_control(sqlite3_file *base, int operation, void *argument) {
    return real_file(base)->pMethods->xFileControl(real_file(base), operation, argument);
}

static int fault_sector_size(sqlite3_file *base) { return real_file(base)->pMethods->xSectorSize(real_file(base)); }

static int fault_characteristics(sqlite3_file *base) {
    return real_file(base)->pMethods->xDeviceCharacteristics(real_file(base));
}

// Of version 1: no shared memory, which only a write-ahead log needs, and no mapping of files.
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_file_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_size,
    .xDeviceCharacteristics = fault_characteristics,
};

// MARK: - The file system

// The disk that a path lies on, and the name there; NULL for others, temporary files for instance.
static fault_disk *find_disk(const char *path, const char **name) {
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    if (slash == NULL) {
        return NULL;
    }
    size_t length = (size_t)(slash - path);
    *name = slash + 1;
    pthread_mutex_lock(&registry_mutex);
    fault_disk *disk = registry;
    while (disk != NULL && (strlen(disk->directory) != length || memcmp(disk->directory, path, length) != 0)) {
        disk = disk->next;
    }
    pthread_mutex_unlock(&registry_mutex);
    return disk;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base, int flags, int *out_flags) {
    (void)vfs;
    const char *name = NULL;
    fault_disk *disk = find_disk(path, &name);
    if (disk == NULL) {
        return real->xOpen(real, path, base, flags, out_flags);
    }
    fault_file *file = (fault_file *)base;
    memset(file, 0, sizeof *file);
    int effect = decide(disk, FAULT_OPEN, 0);
    int code = SQLITE_CANTOPEN;
    if (!refuses(effect)) {
        code = real->xOpen(real, path, real_file(base), flags, out_flags);
        if (code == SQLITE_OK) {
            file->disk = disk;
            file->file = current_node(disk, name);
            if (file->file == NULL) {
                file->file = add_node(disk);
                change_entry(disk, name, file->file);
                file->syncs_directory = (flags & SQLITE_OPEN_MAIN_JOURNAL) != 0;
            }
            if (effect == FAULT_FAIL_DONE) {
                code = SQLITE_CANTOPEN;
                real_file(base)->pMethods->xClose(real_file(base));
            } else {
                disk->open_files += 1;
                base->pMethods = &methods;
            }
        }
    }
    pthread_mutex_unlock(&disk->mutex);
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int syncs_directory) {
    (void)vfs;
    const char *name = NULL;
    fault_disk *disk = find_disk(path, &name);
    if (disk == NULL) {
        return real->xDelete(real, path, syncs_directory);
    }
    int effect = decide(disk, FAULT_DELETE, 0);
    int code = SQLITE_IOERR_DELETE;
    if (effect == FAULT_POWER) {
        change_entry(disk, name, NULL);
    } else if (!refuses(effect)) {
        code = real->xDelete(real, path, 0);
        if (code == SQLITE_OK) {
            change_entry(disk, name, NULL);
            if (effect == FAULT_FAIL_DONE) {
                code = SQLITE_IOERR_DIR_FSYNC;
            } else if (syncs_directory) {
                sync_directory(disk);
            }
        }
    }
    pthread_mutex_unlock(&disk->mutex);
    return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    (void)vfs;
    const char *name = NULL;
    fault_disk *disk = find_disk(path, &name);
    return disk != NULL && refuses(check(disk, FAULT_ACCESS)) ? SQLITE_IOERR_ACCESS
                                                               : real->xAccess(real, path, flags, result);
}

static sqlite3_vfs ours;

static void register_vfs(void) {
    real = sqlite3_vfs_find("unix");
    if (real == NULL) {
        return;
    }
    ours = *real;
    ours.zName = "fault";
    ours.pNext = NULL;
    ours.szOsFile += (int)sizeof(fault_file);
    ours.xOpen = vfs_open;
    ours.xDelete = vfs_delete;
    ours.xAccess = vfs_access;
    if (sqlite3_vfs_register(&ours, 0) != SQLITE_OK) {
        real = NULL;
    }
}

const char *fault_vfs(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_vfs);
    return real == NULL ? NULL : ours.zName;
}

// MARK: - Disks

static int read_file(const char *directory, const char *name, node *file) {
    char *path = join(directory, name);
    FILE *stream = path == NULL ? NULL : fopen(path, "rbe");
    free(path);
    if (stream == NULL) {
        return errno;
    }
    unsigned char chunk[65536];
    for (size_t count; (count = fread(chunk, 1, sizeof chunk, stream)) > 0;) {
        sqlite3_int64 end = file->size;
        resize(&file->bytes, &file->size, end + (sqlite3_int64)count);
        memcpy(file->bytes + end, chunk, count);
    }
    int error = ferror(stream) ? EIO : 0;
    fclose(stream);
    return error;
}

fault_disk *fault_disk_create(const char *directory) {
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        return NULL;
    }
    fault_disk *disk = calloc(1, sizeof *disk);
    pthread_mutex_init(&disk->mutex, NULL);
    pthread_cond_init(&disk->released, NULL);
    disk->directory = strdup(directory);
    disk->changed = &disk->changes;
    int error = 0;
    for (struct dirent *item; error == 0 && (item = readdir(stream)) != NULL;) {
        if (item->d_type == DT_REG) {
            node *file = add_node(disk);
            error = read_file(directory, item->d_name, file);
            set_entry(&disk->entries, item->d_name, file);
        }
    }
    closedir(stream);
    pthread_mutex_lock(&registry_mutex);
    disk->next = registry;
    registry = disk;
    pthread_mutex_unlock(&registry_mutex);
    if (error != 0) {
        fault_disk_free(disk);
        return NULL;
    }
    return disk;
}

void fault_disk_free(fault_disk *disk) {
    pthread_mutex_lock(&registry_mutex);
    for (fault_disk **one = &registry; *one != NULL; one = &(*one)->next) {
        if (*one == disk) {
            *one = disk->next;
            break;
        }
    }
    pthread_mutex_unlock(&registry_mutex);
    for (node *file = disk->nodes, *next; file != NULL; file = next) {
        next = file->next;
        forget_changes(file);
        free(file->bytes);
        free(file);
    }
    free_entries(disk->entries);
    free_entries(disk->changes);
    pthread_mutex_destroy(&disk->mutex);
    pthread_cond_destroy(&disk->released);
    free(disk->directory);
    free(disk);
}

void fault_arm(fault_disk *disk, int call, int effect, long n, int forever, unsigned long long seed) {
    pthread_mutex_lock(&disk->mutex);
    disk->call = call;
    disk->effect = effect;
    disk->n = n;
    disk->forever = forever || effect == FAULT_LIE;
    disk->seed = seed;
    disk->count = 0;
    disk->hits = 0;
    disk->is_armed = 1;
    pthread_mutex_unlock(&disk->mutex);
}

void fault_disarm(fault_disk *disk) { fault_release(disk); }

void fault_release(fault_disk *disk) {
    pthread_mutex_lock(&disk->mutex);
    disk->is_armed = 0;
    disk->is_lying = 0;
    pthread_cond_broadcast(&disk->released);
    pthread_mutex_unlock(&disk->mutex);
}

static long get(fault_disk *disk, const long *value) {
    pthread_mutex_lock(&disk->mutex);
    long copy = *value;
    pthread_mutex_unlock(&disk->mutex);
    return copy;
}

long fault_hits(fault_disk *disk) { return get(disk, &disk->hits); }
long fault_hanging(fault_disk *disk) { return get(disk, &disk->hanging); }
long fault_open_files(fault_disk *disk) { return get(disk, &disk->open_files); }
