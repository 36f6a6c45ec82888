/** The front page of the command line: the seed's words first, what was added after them. */
export const HELP = `
  krectl.sh -- a tool to manage KRE environment during development.

  syntax: krectl.sh <command> [options]

    commands:
      dev     creates a complete local environment and auto-login to frontend.
      start   starts minikube kre profile.
      stop    stops minikube kre profile.
      login   creates a login URL and open your browser automatically on the admin page.
      build   calls docker to build all images inside minikube.
      deploy  calls helm to create install/upgrade a kre release on minikube.
      delete  calls kubectl to remove runtimes or versions.

    start, build, deploy and delete need a cluster, which this version can't drive yet; dev, stop and login
    work on this computer without one: stop ends the local engine and keeps its data.

    more commands:
      status   the engine, its processes and addresses.
      doctor   what this computer has and lacks.
      runtime  create, list, show, delete.
      version  create, list, show, start, stop, publish, unpublish, delete, logs, metrics, requests, top.
      config   get, set: variables and files of a version.
      keys     show, rotate, reset: the master key of configuration values.
      user     list, create, remove, level, grant, revoke, logins, end-login: who may sign in.
      admin    create: an administrator, with a link that signs them in.
      token    create, list, delete: API tokens for programs.
      settings get, set: allowed domains, length of logins.
      audit    list, export, verify: who did what, kept so that changing it shows.
      krt      init, validate, build, show, types: bundles, without an engine.
      call     calls an rpc with JSON.
      oip-check  checks any server of the Open Inference Protocol v2.
      test     runs all checks and tests of this repository.

    global options:
      h     prints this help.
      v     verbose mode.

    Every command takes --help, --json, --quiet and --data DIR (which engine: a folder; default .kre of this checkout).
    Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 69 no engine to talk to, 130 interrupted.
`
