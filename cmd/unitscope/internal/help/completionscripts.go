package help

// The scripts of `unitscope completion`. All of them ask the program itself, so
// that they know what it knows, and none has to be renewed with it.

// bashCompletion works from bash 3.2 on. Readline takes words apart at = and :, of
// which specifications of data and --flag=value are full; the script joins them
// again, and answers with what comes after the last of them.
const bashCompletion = `# unitscope completion for bash: source <(unitscope completion bash)
_unitscope() {
  local i word fixed glue="" last="" words=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    if ((${#words[@]})) && [[ -n $glue || $word == [=:]* ]]; then
      words[${#words[@]}-1]+="$word"
    else
      words+=("$word")
    fi
    glue=""
    if [[ $word == *[=:] ]]; then glue=1; fi
  done
  if ((${#words[@]})); then last="${words[${#words[@]}-1]}"; fi
  if [[ -n $glue ]]; then word=""; fi
  fixed="${last%"$word"}"
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    word="${word#"$fixed"}"
    if [[ $word == *[!A-Za-z0-9_.:/,=+@%~-]* ]]; then printf -v word %q "$word"; fi
    COMPREPLY+=("$word")
  done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
  if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *[/:,=] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _unitscope unitscope
`

// zshCompletion can be sourced, or be a file _unitscope in a folder of fpath.
const zshCompletion = `#compdef unitscope
# unitscope completion for zsh: source <(unitscope completion zsh)
_unitscope() {
  local line word
  local -a ended endedtext open opentext
  for line in "${(@f)$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    word="${line%%$'\t'*}"
    [[ -z $word ]] && continue
    line="${line#*$'\t'}"
    [[ -n $line ]] && line="$word  -- $line" || line="$word"
    if [[ $word == *[/:,=] ]]; then
      open+=("$word") opentext+=("$line")
    else
      ended+=("$word") endedtext+=("$line")
    fi
  done
  local -i found=1
  (($#ended)) && compadd -l -d endedtext -a ended && found=0
  (($#open)) && compadd -S '' -l -d opentext -a open && found=0
  return found
}
if [[ $funcstack[1] == _unitscope ]]; then _unitscope "$@"; else compdef _unitscope unitscope; fi
`

const fishCompletion = `# unitscope completion for fish: unitscope completion fish >~/.config/fish/completions/unitscope.fish
function __unitscope_complete
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    $words[1] __complete $words[2..-1] "$current" 2>/dev/null
end
complete --command unitscope --no-files --keep-order --arguments '(__unitscope_complete)'
`
