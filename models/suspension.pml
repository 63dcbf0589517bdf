/*
 * An older copy in the place of the database: two replicas, the row of the lease, and a person who puts a copy there, and then
 * puts the newer file back or accepts what is there. docs/storage.md has the rules; `make model` checks them.
 *
 * What pauses, lost answers and clocks that drift can do is in lease.pml. Here each transaction happens at one moment, and is
 * answered at once; a replica may wait as long as it likes before any of them, may be killed, and may be told to stop.
 */

/* A holder may renew at any moment before its deadline here, and not a poll interval after the last renewal: a row may stand still
   for twice the deadline when the copy has taken one renewal. So what may lie between two looks that count as one wait is what the ttl is
   longer than that; with more there is an error. */
#define TTL 5
#define DEADLINE 2
#ifndef GAP
#define GAP 1
#endif
/* How often the lease is taken. */
#define TERMS 4

#define NOBODY 2
/* Holds the row after an older state was accepted of which nobody knows who led last. */
#define SOMEBODY 3

mtype = { WATCHING, LEADING, RESIGNING };

/* The row, in the file that lies there. */
byte holder = NOBODY;
byte epoch = 0;
bool isMarked;  /* nobody acts on it */
bool isExact;   /* the mark is by who led: no later epoch was given out */
byte markEpoch; /* none up to it is used again */

/* The person. The copy is of the row as replica 0 first took it. */
bool isKept;
bool isMore;    /* the row has changed since */
bool isOlder;   /* the copy lies there */
bool isDecided;
byte newHolder = NOBODY;
byte newEpoch;
byte given;     /* the newest epoch that was ever given out */
byte terms;

/* The replicas. */
mtype state[2] = WATCHING;
byte own[2];      /* the epoch in which it leads */
byte left[2];     /* until its deadline */
bool holds[2];    /* its plugin has groups */
bool isHalted[2]; /* its term is suspended */
bool isGivenUp[2]; /* its term is of a state that was given up */
bool mayLetGo[2]; /* it has a reason to: its deadline, an order, another who leads */
bool same[2];     /* the row is as it was last read */
bool wasSame[2];  /* the same, of the newer file while the copy lies there, as long as the copy was not looked at */
byte waited[2];   /* since that was first read */
byte unseen[2];   /* since the last look */
bool knows[2];    /* it has seen more than the copy holds */
byte seen[2];     /* the newest epoch that it has seen */

#ifdef NO_NOTICE
#define notices(i) false
#else
#define notices(i) (isOlder && (knows[i] || isMarked))
#endif
#define acts(i) (state[i] == LEADING && left[i] > 0 && !isHalted[i])

/* That replica 0 is the first is no loss. */
#define mayTry(i) (terms < TERMS && (i == 0 || epoch > 0))
#ifdef UNWATCHED
#define isJoined(i) true
#else
#define isJoined(i) (unseen[i] <= GAP)
#endif
#define isFree(i) (holder == NOBODY || (same[i] && waited[i] >= TTL && isJoined(i)))

inline rowChanged() { same[0] = false; same[1] = false; isMore = isKept }

inline saw(i) {
    if
    :: isOlder -> skip
    :: else -> knows[i] = isMore; seen[i] = epoch
    fi
}

/* Who led writes itself into the row, and holds the lease there. */
inline mark(i) {
    if
    :: state[i] != WATCHING && left[i] > 0 && own[i] == seen[i] ->
        holder = i; epoch = own[i]; isExact = true; markEpoch = own[i]; isMarked = true; rowChanged()
    :: else ->
        if
        :: isMarked -> skip
#ifdef NO_ROOM
        :: else -> isExact = false; markEpoch = seen[i]; isMarked = true; rowChanged()
#else
        /* Room for what may have been given out since it looked last. */
        :: else -> isExact = false; markEpoch = seen[i] + TERMS; isMarked = true; rowChanged()
#endif
        fi
    fi
}

inline follow(i) {
    state[i] = WATCHING; own[i] = 0; same[i] = false; wasSame[i] = false; waited[i] = 0; unseen[i] = 0;
    isHalted[i] = false; isGivenUp[i] = false
}

inline acquire(i) {
    assert(epoch + 1 > given); /* each epoch is given once */
    given = epoch + 1; terms++;
    epoch = given; holder = i; own[i] = given; state[i] = LEADING; left[i] = DEADLINE; rowChanged();
    if
    :: given == 1 -> isKept = !isDecided; isMore = false
    :: else
    fi;
    saw(i)
}

proctype Replica(byte i) {
end:
    do
    /* Follow. */
    :: d_step { state[i] == WATCHING ->
        if
        :: notices(i) -> mark(i); same[i] = false; wasSame[i] = false
        :: !notices(i) && mayTry(i) && isFree(i) -> acquire(i)
        :: else ->
            saw(i);
            if
            :: same[i] && isJoined(i) -> skip
            :: else -> same[i] = true; waited[i] = 0
            fi;
            wasSame[i] = false; unseen[i] = 0
        fi }

    /* Lead. */
    :: d_step { acts(i) && !holds[i] -> holds[i] = true; mayLetGo[i] = false }
    :: d_step { acts(i) -> /* a write */
        if
        :: notices(i) -> mark(i)
        :: !notices(i) && holder == i && epoch == own[i] && !isGivenUp[i] ->
            assert(!isOlder) /* what is stored in the copy is gone with it */
        :: else -> mayLetGo[i] = true; state[i] = RESIGNING
        fi }
    :: d_step { state[i] == LEADING && left[i] > 0 -> /* a renewal */
        if
        :: notices(i) ->
            mark(i);
#ifdef SUSPENDED_RESIGNS
            state[i] = RESIGNING
#else
            if
            :: holder == i && epoch == own[i] -> isHalted[i] = true; left[i] = DEADLINE
            :: else -> mayLetGo[i] = true; state[i] = RESIGNING
            fi
#endif
        :: !notices(i) && holder == i && epoch == own[i] && !isGivenUp[i] ->
            left[i] = DEADLINE; isHalted[i] = false; rowChanged(); saw(i)
        :: else -> mayLetGo[i] = true; state[i] = RESIGNING
        fi }
    :: d_step { state[i] == LEADING -> mayLetGo[i] = true; state[i] = RESIGNING } /* its deadline, or an order */

    /* Let the groups go, then release. */
    :: d_step { state[i] == RESIGNING && holds[i] ->
        assert(mayLetGo[i]); /* that the state is an older one is no reason: others honour the row */
        holds[i] = false }
    :: d_step { state[i] == RESIGNING && !holds[i] ->
        if :: notices(i) -> mark(i) :: else fi;
        if
        :: holder == i && epoch == own[i] -> holder = NOBODY; rowChanged()
        :: else
        fi;
        left[i] = 0; follow(i) }

    /* Killed, and started again; its guard lets the groups go. One that starts on a copy before any that knows more has looked cannot
       know (docs/storage.md). */
    :: d_step { state[i] == LEADING && (!isOlder || isMarked) ->
        left[i] = 0; mayLetGo[i] = true; knows[i] = false; seen[i] = 0; follow(i) }
    od
}

inline keep(i) { wasSame[i] = same[i]; same[i] = false }
/* Who has not looked meanwhile finds the row as it was. */
inline restore(i) { same[i] = wasSame[i]; wasSame[i] = false }

inline decide() {
    isOlder = false; isMarked = false; isExact = false; markEpoch = 0; isDecided = true; isKept = false;
    newHolder = NOBODY; newEpoch = 0; rowChanged(); knows[0] = false; knows[1] = false
}

proctype Person() {
end:
    d_step { knows[0] && knows[1] ->
        isOlder = true; newHolder = holder; newEpoch = epoch; holder = 0; epoch = 1; keep(0); keep(1); rowChanged() };
    if
    :: d_step { isOlder -> /* the newer file is put back */
        holder = newHolder; epoch = newEpoch; decide(); restore(0); restore(1) }
    :: d_step { isMarked -> /* what is there is accepted */
        if
        :: isExact -> skip
#ifdef ACCEPT_FREE
        :: else -> holder = NOBODY
#else
        :: else -> holder = SOMEBODY
#endif
        fi;
        if :: markEpoch > epoch -> epoch = markEpoch :: else fi;
        isGivenUp[0] = own[0] > 0; isGivenUp[1] = own[1] > 0;
        decide(); wasSame[0] = false; wasSame[1] = false }
    fi
}

proctype Clock() {
    byte i;
end:
    do
    :: d_step {
        i = 0;
        do
        :: i < 2 ->
            if :: (same[i] || wasSame[i]) && waited[i] < TTL -> waited[i]++ :: else fi;
            if :: (same[i] || wasSame[i]) && unseen[i] <= GAP -> unseen[i]++ :: else fi;
            /* The guard lets the groups go after the deadline: here as late as it may. */
            if :: left[i] == 0 && holds[i] -> holds[i] = false :: else fi;
            if :: left[i] > 0 -> left[i]-- :: else fi;
            i++
        :: else -> break
        od;
        i = 0 }
    od
}

proctype Monitor() {
end:
    atomic { (acts(0) && acts(1)) || (holds[0] && holds[1]) || (acts(0) && holds[1]) || (acts(1) && holds[0]) ->
        assert(false) } /* at most one replica acts, and at most one plugin has groups */
}

init { atomic { run Replica(0); run Replica(1); run Person(); run Clock(); run Monitor() } }
