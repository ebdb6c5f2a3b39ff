/** Where an extension was loaded from. */
export interface ExtensionModule {
  /** The entry in the target file: a relative path or the name of a package. */
  readonly entry: string;
  /** The file that was loaded. */
  readonly file: string;
}
