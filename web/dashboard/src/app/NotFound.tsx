import { Link } from 'wouter';
import { Empty } from '../ui/states';
import { useShellMessages } from './messages';
import { Title } from './Title';

export function NotFound() {
  const { notFound } = useShellMessages();
  return (
    <>
      <Title>{notFound.title}</Title>
      <Empty icon="search" title={notFound.text}>
        <Link href="/">{notFound.home}</Link>
      </Empty>
    </>
  );
}

/** In the place of a page for those who may do more. */
export function NotForYou() {
  const { notForYou, notFound } = useShellMessages();
  return (
    <>
      <Title>{notForYou.title}</Title>
      <Empty icon="shield" title={notForYou.text}>
        <Link href="/">{notFound.home}</Link>
      </Empty>
    </>
  );
}
