# Turns a generated page into one that man(1) and its index take: names with dashes, a NAME line that they read, examples as they
# are typed, defaults, what the exit status means, the environment. Two files: the program's help, and the page.

function flush_option() {
    # What a value is by default, and which are accepted, is in the help alone.
    if (option != "" && match(help, /\((values: [^()]*; )?default: [^()]*\)$/)) defaults[option] = substr(help, RSTART, RLENGTH)
    option = ""; help = ""
}

FNR == NR {
    if ($0 ~ /^  (-|<)/) {
        flush_option()
        if (match($0, /--[a-z][a-z-]*/)) option = substr($0, RSTART + 1, RLENGTH - 1)
        else if (match($0, /^  -[A-Za-z] /)) option = substr($0, 4, 1)
        help = $0
    } else if ($0 ~ /^          /) {
        sub(/^ */, "", $0); help = help " " $0
    } else flush_option()
    next
}

FNR == 1 { flush_option(); manager = program == "infrakit-manager"; dashed = name; gsub(/ /, "-", dashed) }

function end_literal() { if (literal) { print ".Ed"; literal = 0 } }
function begin_literal() { print ".Bd -literal -offset indent"; literal = 1 }
# One space between paragraphs, and none before a list or at a section's start.
function paragraph() { wants_paragraph = 1 }
function text(line) { if (wants_paragraph && has_text) print ".Pp"; wants_paragraph = 0; has_text = 1; print line }

function status() {
    print ".Bl -tag -width 6n"
    print ".It 0"; print manager ? "success; for diff: no difference" : "success"
    print ".It 1"; print manager ? "failure, the message says why; for diff: different" : "failure or wrong usage, the message says why"
    if (manager) {
        print ".It 2"; print "wrong usage; for diff: error"
        print ".It 3"; print "this replica follows"
        print ".It 4"; print "nobody leads"
        print ".It 5"; print "the store cannot be used"
        print ".It 6"; print "refused by the plugin"
        print ".It 7"; print "recorded but not confirmed yet, or outcome unknown"
    }
    print ".It 141"; print "the reader of the output has ended"
    print ".El"
}

function environment() {
    print ".Sh ENVIRONMENT"
    if (manager) print "Every flag can be set with the variable that its description names."
    print ".Bl -tag -width 6n"
    print ".It Ev INFRAKIT_PLUGINS_DIR"
    print "directory of the plugins' sockets (default:"
    print ".Pa ~/.infrakit/plugins )"
    if (manager) {
        print ".It Ev INFRAKIT_CONFIG"
        print "a YAML file that sets flags by name"
        print ".It Ev INFRAKIT_STORE_DIR"
        print "directory of the database (default:"
        print ".Pa ~/.infrakit/configs )"
        print ".It Ev INFRAKIT_OUTPUT"
        print "table or json, for commands with the option"
        print ".Fl -output"
        print ".It Ev NO_COLOR"
        print "no colours, if not empty"
        print ".It Ev SUDO_USER"
        print "recorded beside the author of a change, if no login is known"
    }
    print ".El"
}

/^\.\\" / { next }
/^\.Dd / { print ".Dd " date; next }
/^\.Dt / { print ".Dt " toupper(dashed) " 1"; next }
/^\.Sh / { end_literal(); wants_paragraph = has_text = 0 }
/^\.Sh NAME/ { print; in_name = 1; next }
in_name && /^\.Nm/ { print ".Nm " dashed; next }
in_name && /^\.Nd/ { sub(/^\.Nd /, ""); gsub(/^"|"$/, ""); print ".Nd " $0; in_name = 0; next }
/^\.Nm *$/ { print ".Nm \"" name "\""; next }
/^\.Xr .*\.help 1/ { next }
/^\.Xr / { page = $2; gsub(/\./, "-", page); print ".Xr " page " " $3 ($4 == "" ? "" : " " $4); next }
/^\.Sh AUTHORS/ { exit }
/^\.Sh "EXIT STATUS"/ { environment(); print; status(); skip = 1; next }
/^\.Sh / { skip = 0; print; next }
skip { next }
/^\.Pp/ { if (in_list) next; paragraph(); next }
/^\.Bl/ { end_literal(); in_list++; wants_paragraph = 0; print; next }
/^\.El/ { in_list--; print; next }
/^\.It / {
    end_literal(); print; option = ""
    if (match($0, / -[a-z][a-z-]*/)) option = substr($0, RSTART + 1, RLENGTH - 1)
    else if (match($0, /^\.It Fl [A-Za-z]/)) option = substr($0, 8, 1)
    next
}
/^\./ { end_literal(); print; next }
/^Examples?:$/ { text($0); begin_literal(); next }
/^Example: / { text("Example:"); begin_literal(); sub(/^Example: /, ""); print; next }
/^$/ { end_literal(); paragraph(); next }
/^  / && !literal && !in_list { wants_paragraph = 0; begin_literal() }
literal && !/^  / && !/^[a-z]/ { end_literal() }
literal { sub(/^  /, ""); gsub(/\\/, "\\e"); print; next }
in_list {
    gsub(/\\/, "\\e")
    if (option in defaults && $0 !~ /default: /) { $0 = $0 " " defaults[option]; delete defaults[option] }
    print; next
}
{ gsub(/\\/, "\\e"); text($0) }
