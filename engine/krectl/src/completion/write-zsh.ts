import type { TreeCommand } from './command-tree.ts'
import { NAMES_COMMAND } from './names-command.ts'
import { ENGINE_OPTIONS, shellCases } from './shell-cases.ts'

/** Completion for zsh: as a file `_krectl` in a folder of `$fpath`, or sourced behind `compinit`. */
export function writeZsh(tree: readonly TreeCommand[]): string {
  return `#compdef krectl krectl.sh
# Completion of krectl for zsh, made by "krectl completion zsh".

${shellCases(tree)}

_krectl_names() {
  local -a names
  names=(\${(f)"$("$words[1]" ${NAMES_COMMAND} "$@" 2>/dev/null)"})
  compadd -a names
}

_krectl() {
  emulate -L zsh
  local cur=$words[CURRENT] cmdpath= commands= flags= values= kinds= flag= runtime= kind= word
  local -i i count=0
  local -a engine places
  _krectl_spec ''
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $flag ]]; then
      case $flag in
        (-r|--runtime) runtime=$word ;;
        (${ENGINE_OPTIONS.join('|')}) engine+=($flag $word) ;;
      esac
      flag=
    elif [[ $word == --runtime=* ]]; then
      runtime=\${word#*=}
    elif [[ $word == -* ]]; then
      if [[ " $values " == *" $word="* ]]; then flag=$word; fi
      if [[ $word == (--insecure-http|--*=*) ]]; then engine+=($word); fi
    elif [[ " $commands " == *" $word "* ]]; then
      cmdpath="\${cmdpath:+$cmdpath }$word"
      _krectl_spec "$cmdpath"
    else
      count+=1
    fi
  done
  if [[ -z $flag && $cur == --*=* ]]; then
    flag=\${cur%%=*}
    compset -P '*='
  fi
  if [[ -n $flag ]]; then
    kind=" $values "
    kind=\${kind#*" $flag="}
    kind=\${kind%% *}
  elif [[ $cur == -* ]]; then
    compadd -- \${=flags}
    return
  elif [[ -n $commands ]]; then
    if ((count == 0)); then compadd -- \${=commands}; fi
    return
  else
    places=(\${=kinds})
    if ((count < $#places)); then
      kind=$places[count+1]
    elif [[ $kinds == *'*' ]]; then
      kind=$places[-1]
    fi
  fi
  kind=\${kind%'*'}
  case $kind in
    (file) _files ;;
    (folder) _files -/ ;;
    (words:*)
      places=(\${(s:,:)\${kind#words:}})
      compadd -a places
      ;;
    (profile|runtime) _krectl_names $kind $engine ;;
    (version)
      if [[ -n $runtime ]]; then _krectl_names version --runtime $runtime $engine; fi
      ;;
  esac
}

if [[ $funcstack[1] == _krectl ]]; then
  _krectl "$@"
else
  compdef _krectl krectl krectl.sh
fi
`
}
