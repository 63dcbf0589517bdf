/// The script with which a shell completes this program's command lines.
///
/// The library's script for bash offers what the program names through `compgen -W`, which expands each word: a group called
/// `$(reboot)` would be carried out. It also takes a word for ended at a colon. The one for zsh leaves `!` unquoted.
enum CompletionScript {
    /// - Parameter script: as the library has made it.
    /// - Returns: nil when the places to mend are not found in it.
    static func mended(_ script: String) -> String? {
        if script.hasPrefix("#!/bin/bash\n") { return replacing(bash, in: script) }
        if script.hasPrefix("#compdef ") { return replacing(zsh, in: script) }
        return script
    }

    private static func replacing(_ places: [(String, String)], in script: String) -> String? {
        places.reduce(script) { script, place in
            guard let script, script.contains(place.0) else { return nil }
            return script.replacing(place.0, with: place.1)
        }
    }

    /// Within its function no history is expanded, so that zsh would not quote `!`, which it does expand afterwards.
    private static let zsh = [("unsetopt aliases banghist\n", "unsetopt aliases\n")]

    private static let bash = [
        (
            "__infrakit-manager_add_completions -W \"$(__infrakit-manager_custom_complete ",
            "__infrakit-manager_offer \"$(__infrakit-manager_custom_complete "
        ),
        ("\n__infrakit-manager_add_completions() {\n", "\n" + offer + "__infrakit-manager_add_completions() {\n"),
        ("    local -r cur=\"${2}\"\n    local -r prev=\"${3}\"\n", words),
    ]

    /// The words as the user sees them. bash ends one also at a colon and some other characters, and says where the last
    /// piece of the word at the cursor begins.
    private static let words = #"""
            local -r piece="${2}"
            local -a pieces=("${COMP_WORDS[@]::${COMP_CWORD}+1}") COMP_WORDS=()
            local rest="${COMP_LINE:0:${COMP_POINT}}" next
            for next in "${pieces[@]}"; do
                if [[ "${#COMP_WORDS[@]}" -eq 0 || "${rest}" == [[:space:]]* ]]; then
                    COMP_WORDS+=("${next}")
                else
                    COMP_WORDS[-1]+="${next}"
                fi
                rest="${rest##+([[:space:]])}"
                rest="${rest#"${next}"}"
            done
            local -i COMP_CWORD="$((${#COMP_WORDS[@]} - 1))"
            local -r cur="${COMP_WORDS[-1]}"
            local -r prev="${COMP_WORDS[-2]}"

        """#

    /// Offers the lines of $1 that begin with the word at the cursor, quoted as that word is.
    private static let offer = #"""
        __infrakit-manager_offer() {
            local quote='' typed="${cur}" before='' candidate
            # They are no names of files, which bash would look for and quote.
            compopt +o filenames 2>/dev/null
            case "${cur}" in
            [\'\"]*) quote="${cur:0:1}" typed="${cur:1}" ;;
            *) before="${cur%"${piece}"}" ;;
            esac
            if [[ "${quote}" != "'" && "${typed}" == *\\* ]]; then
                # Without the backslashes that quote.
                local text="${typed}"
                typed=''
                while [[ -n "${text}" ]]; do
                    [[ "${text}" == \\?* ]] && text="${text:1}"
                    typed+="${text:0:1}"
                    text="${text:1}"
                done
            fi
            while IFS='' read -r candidate; do
                [[ -n "${candidate}" && "${candidate}" == "${typed}"* ]] || continue
                case "${quote}" in
                \') candidate="${candidate//\'/\'\\\'\'}" ;;
                \")
                    candidate="${candidate//\\/\\\\}"
                    candidate="${candidate//\"/\\\"}"
                    candidate="${candidate//\$/\\\$}"
                    candidate="${candidate//\`/\\\`}"
                    ;;
                *) printf -v candidate %q "${candidate}" ;;
                esac
                COMPREPLY+=("${candidate#"${before}"}")
            done <<<"${1}"
        }


        """#
}
