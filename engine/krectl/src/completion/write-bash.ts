import type { TreeCommand } from './command-tree.ts'
import { NAMES_COMMAND } from './names-command.ts'
import { ENGINE_OPTIONS, shellCases } from './shell-cases.ts'

/**
 * Completion for bash 3.2 and newer. Names come from the engine, so they are compared as text and never expanded.
 */
export function writeBash(tree: readonly TreeCommand[]): string {
  return `# Completion of krectl for bash, made by "krectl completion bash".

${shellCases(tree)}

_krectl_match() {
  local word
  for word in "$@"; do
    if [[ $word == "$cur"* ]]; then COMPREPLY+=("$word"); fi
  done
}

_krectl_read() {
  local word
  while IFS= read -r word; do
    if [[ $word == "$cur"* ]]; then COMPREPLY+=("$word"); fi
  done
}

_krectl() {
  local IFS=$' \\t\\n'
  local cur=\${COMP_WORDS[COMP_CWORD]} path= commands= flags= values= kinds= flag= runtime= kind= word i count=0
  local -a engine=() places=()
  COMPREPLY=()
  _krectl_spec ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then continue; fi
    if [[ -n $flag ]]; then
      case $flag in
        -r | --runtime) runtime=$word ;;
        ${ENGINE_OPTIONS.join(' | ')}) engine+=("$flag" "$word") ;;
      esac
      flag=
    elif [[ $word == -* ]]; then
      if [[ " $values " == *" $word="* ]]; then flag=$word; fi
      if [[ $word == --insecure-http ]]; then engine+=("$word"); fi
    elif [[ " $commands " == *" $word "* ]]; then
      path=\${path:+$path }$word
      _krectl_spec "$path"
    else
      count=$((count + 1))
    fi
  done
  if [[ $cur == '=' ]]; then cur=; fi
  if [[ -n $flag ]]; then
    kind=" $values "
    kind=\${kind#*" $flag="}
    kind=\${kind%% *}
  elif [[ $cur == -* ]]; then
    _krectl_match $flags
    return
  elif [[ -n $commands ]]; then
    # Behind a word that is no command there is nothing to offer.
    if ((count == 0)); then _krectl_match $commands; fi
    return
  else
    places=($kinds)
    if ((count < \${#places[@]})); then
      kind=\${places[count]}
    elif [[ $kinds == *'*' ]]; then
      kind=\${places[\${#places[@]} - 1]}
    fi
  fi
  kind=\${kind%'*'}
  case $kind in
    file)
      compopt -o filenames 2>/dev/null
      _krectl_read < <(compgen -f -- "$cur")
      ;;
    folder)
      compopt -o filenames 2>/dev/null
      _krectl_read < <(compgen -d -- "$cur")
      ;;
    words:*)
      kind=\${kind#words:}
      _krectl_match \${kind//,/ }
      ;;
    profile | runtime)
      _krectl_read < <("\${COMP_WORDS[0]}" ${NAMES_COMMAND} "$kind" \${engine[@]+"\${engine[@]}"} 2>/dev/null)
      ;;
    version)
      if [[ -n $runtime ]]; then
        _krectl_read < <("\${COMP_WORDS[0]}" ${NAMES_COMMAND} version --runtime "$runtime" \${engine[@]+"\${engine[@]}"} 2>/dev/null)
      fi
      ;;
  esac
}

complete -F _krectl krectl krectl.sh
`
}
