import type { ComponentType } from 'react';
import type { IconName } from '../ui/Icon';
import type { ShellMessages } from './messages';

/** Who sees a page: `workspace` pages have `/w/:slug` before them and a workspace around them. */
type Access = 'everybody' | 'signed-out' | 'signed-in' | 'workspace';

type Role = 'VIEWER' | 'ANALYST' | 'ADMIN' | 'OWNER';

export interface Navigation {
  group: 'workspace' | 'admin' | 'account';
  /** Its place in the group: small ones first. */
  order: number;
  icon: IconName;
  label: keyof ShellMessages['navigation'];
  /** Who has less is not shown the link. */
  role?: Role;
}

export interface Page {
  path: string;
  access: Access;
  load: () => Promise<{ default: ComponentType }>;
  /** Only pages with one are listed. */
  navigation?: Navigation;
}

/** What a `route.ts` exports by default, once or in a list. */
export const page = (given: Page): Page => given;
