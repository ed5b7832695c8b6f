import { Component, type ReactNode } from 'react';
import { Failed } from '../ui/states';

/** What a page throws, and a part of it that could not be loaded, is no white screen. */
export class Crash extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    // A chunk that is gone belongs to a version before the present one.
    return this.state.hasFailed ? <Failed retry={() => location.reload()} /> : this.props.children;
  }
}
