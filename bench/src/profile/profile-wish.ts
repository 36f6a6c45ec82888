/** What `--profile` asks for, and whether it was done. */
export type ProfileWish = {
  /** Where profiles and their table go. */
  folder: string
  caseName: string
  /** The table, when it was taken. */
  taken: string | null
}
